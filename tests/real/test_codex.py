"""The real Codex under moor: what its commands see, what presets hold, and conversations across its homes.

The task, hostile repositories, models, sub-agents and ends are proven by the suite over every agent.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.agents.codex import CODEX
from moor.agents.codex.config import KEY_VARIABLE
from moor.domain.result import COMPLETED
from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real

SCRIPTS = {
    "seen": """
about = "Writes down what a command sees."

[[step]]
run = "env | sort > seen.txt; git config user.name >> seen.txt"

[[step]]
say = "Seen."
""",
    "look": """
about = "Looks at files in the ways that Codex does, then tries to do more."

[[step]]
run = "cat pricing.py | head -3"

[[step]]
run = "sed -n '1,2p' test_pricing.py && ls"

[[step]]
run = "cat ../user/.ssh/id_test"

[[step]]
run = "cat pricing.py > copy.txt"

[[step]]
write = "new.txt"
content = "x"

[[step]]
say = "Looked."
""",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp("codex"), test_agents, SCRIPTS) as made:
        (made.home.user / ".gitconfig").write_text("[user]\n\tname = The User\n", encoding="utf-8")
        (made.home.user / ".ssh").mkdir()
        (made.home.user / ".ssh" / "id_test").write_text("PRIVATE", encoding="utf-8")
        yield made


def run(place: Workplace, *argv: str, **env: str) -> str:
    """A run that completes; its text."""
    done = place.moor("run", "--agent", CODEX.id, "--json", *argv, env=env)
    assert done.code == 0, done.stdout + done.stderr
    assert done.last_json["status"] == COMPLETED
    return str(done.last_json["text"])


def bodies(place: Workplace) -> list[str]:
    """Bodies of the model calls so far."""
    return [call["body_text"] for call in place.sim.control.requests(bodies=True) if call["model"]]


@pytest.mark.feature("F6.2", "F17.5", "F17.8")
def test_a_command_sees_the_users_own_environment_and_not_the_key(place: Workplace) -> None:
    own = {"HTTPS_PROXY": "http://127.0.0.1:9", "CODEX_HOME": str(place.folder / "own"), "MY_TOKEN": "mine"}
    run(place, "--preset", "full", "sim:seen", **own)
    seen = (place.repository / "seen.txt").read_text(encoding="utf-8").splitlines()
    (place.repository / "seen.txt").unlink()
    assert {f"{name}={value}" for name, value in own.items()} <= set(seen)
    assert f"HOME={place.home.user}" in seen
    assert "The User" in seen
    names = {line.partition("=")[0] for line in seen}
    assert not {KEY_VARIABLE, "CODEX_SQLITE_HOME", "http_proxy", "ALL_PROXY"} & names


@pytest.mark.feature("F13.3")
def test_the_preset_read_lets_it_look_and_do_nothing_else(place: Workplace) -> None:
    done = place.must("run", "--agent", CODEX.id, "--json", "--preset", "read", "sim:look")
    answers = [one["answer"] for one in done.last_json["auto_answered"]]
    assert answers == ["allowed", "allowed", "denied", "denied", "denied"]
    assert done.last_json["changed_files"] == []
    assert not any("PRIVATE" in body for body in bodies(place))


@pytest.mark.feature("F12.25", "F13.3")
def test_what_a_sub_agent_does_is_asked_for_too(place: Workplace) -> None:
    done = place.must("run", "--agent", CODEX.id, "--json", "sim:spawn:fix-test")
    assert "the three tests pass" in done.last_json["text"]
    assert done.last_json["changed_files"] == ["pricing.py"]
    assert len([one for one in done.last_json["auto_answered"] if one["answer"] == "allowed"]) == 5
    place.git("checkout", "-q", ".")


@pytest.mark.feature("F4.8", "F4.9")
def test_it_knows_its_models_and_is_told_the_effort(place: Workplace) -> None:
    before = len(bodies(place))
    done = place.must(CODEX.id, "exec", "--json", "-c", "model_reasoning_effort=high", "sim:hello")
    assert "metadata" not in done.stdout + done.stderr
    body = json.loads(bodies(place)[before])
    assert body["reasoning"]["effort"] == "high"
    names = [tool["name"] for tool in body["tools"]]
    assert {"exec_command", "apply_patch"} <= set(names)
    assert not any(tool["type"] in ("web_search", "tool_search", "namespace") for tool in body["tools"])
    assert "You are Codex, a coding agent." in json.dumps(body["input"][0])


@pytest.mark.feature("F12.7")
def test_a_driven_conversation_is_continued_in_its_own_interface_and_arguments(place: Workplace) -> None:
    run(place, "Remember LANTERN, sim:hello")
    (newest,) = sorted((place.store.root / "homes" / CODEX.id / "sessions").rglob("*.jsonl"))[-1:]
    before = len(bodies(place))
    place.must(CODEX.id, "exec", "resume", newest.stem[-36:], "And again, sim:hello")
    assert "LANTERN" in bodies(place)[before]


def test_nothing_but_its_own_homes_is_left_and_no_process(place: Workplace) -> None:
    run(place, "sim:hello")
    place.assert_clean_end()
    assert not (place.home.user / ".codex").exists()
    home = place.store.root / "homes" / CODEX.id
    assert not list(home.rglob("packages"))
    key_holders = subprocess.run(
        ["grep", "-rlE", "moor-[A-Za-z0-9_-]{20,}", str(home)], capture_output=True, check=False
    )
    assert key_holders.stdout == b""
