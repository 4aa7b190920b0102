"""Conversations that lie in files, carried to the agent's own home and back, and gone on with by the real program."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real

GO_ON = {
    "claude": ("-p", "--resume", "ID", "sim:hello"),
    "codex": ("exec", "resume", "ID", "sim:hello"),
    "gemini": ("--resume", "ID", "-p", "sim:hello"),
}


@pytest.fixture
def place(tmp_path: Path, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path, test_agents) as made:
        yield made


@pytest.mark.parametrize("agent", GO_ON)
def test_a_conversation_goes_and_comes_back(agent: str, place: Workplace) -> None:
    place.must("run", "--json", "--agent", agent, "sim:hello")
    mine = ("--agent", agent)
    rows = place.must("session", "list", "--json", *mine).last_json
    [listed] = [row for row in rows if row["title"] == "sim:hello"]
    assert "would carry" in place.must("session", "export", "--to-agent-home", "--dry-run", *mine).stdout
    assert not list(place.home.user.glob(f".{agent}/*"))
    place.must("session", "export", "--to-agent-home", *mine, listed["id"])
    assert "stays as it is" in place.must("session", "export", "--to-agent-home", *mine, listed["id"]).stderr
    own = {path: path.read_bytes() for path in place.home.user.glob(f".{agent}/**/*") if path.is_file()}
    assert own

    shutil.rmtree(place.home.root / "homes")
    assert f"carried {listed['id']}" in place.must("session", "import", *mine).stdout
    assert {path: path.read_bytes() for path in own} == own

    calls = place.model_calls()
    place.must(agent, *(word.replace("ID", listed["id"]) for word in GO_ON[agent]))
    later = place.model_calls()[len(calls) :]
    assert later
    assert later[-1]["status"] == 200
    there = {row["home"] for row in place.must("session", "list", "--json", *mine).last_json}
    assert there == {"its own", "moor's"}
