"""GitHub Copilot CLI where it differs from the other agents: hooks that nothing switches off, and its key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.trouble import assert_told
from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real

AGENT = "copilot"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp(AGENT), test_agents) as made:
        yield made


@pytest.mark.feature("F17.5")
def test_its_tools_do_not_see_the_key(place: Workplace) -> None:
    done = place.must("run", "--agent", AGENT, "--preset", "full", "--json", "sim:run:printenv")
    assert "COPILOT_MODEL=" in done.last_json["text"] or "moor-" not in done.last_json["text"]
    assert "COPILOT_PROVIDER_API_KEY=moor-" not in done.last_json["text"]


@pytest.mark.parametrize("model", ["system.ai.gpt-5", "system.ai.kimi-k2-7-code"])
def test_models_of_its_other_dialects_answer(place: Workplace, model: str) -> None:
    done = place.must("run", "--agent", AGENT, "--model", model, "--json", "sim:hello")
    assert done.last_json["text"] == "Hello from the simulated model."
    assert {call["model"] for call in place.model_calls()[-1:]} == {model}


@pytest.mark.feature("F17.7")
def test_servers_of_the_repository_are_not_started_in_a_longer_run(place: Workplace) -> None:
    mark = place.folder / "server-ran"
    server = {"type": "local", "command": "touch", "args": [str(mark)], "tools": ["*"]}
    (place.repository / ".mcp.json").write_text(json.dumps({"mcpServers": {"evil": server}}), encoding="utf-8")
    place.must("run", "--agent", AGENT, "--preset", "full", "sim:turns:3:1.0")
    assert not mark.exists()


@pytest.mark.feature("F17.10")
def test_what_a_sub_agent_does_is_asked_for_too(place: Workplace) -> None:
    done = place.must("run", "--agent", AGENT, "--preset", "read", "--json", "sim:spawn:fix-test")
    assert done.last_json["changed_files"] == []
    assert "denied" in {one["answer"] for one in done.last_json["auto_answered"]}


@pytest.mark.feature("F17.7")
def test_hooks_that_it_would_start_at_once_are_refused_in_both_modes(place: Workplace) -> None:
    hooks = place.repository / ".github" / "hooks"
    hooks.mkdir(parents=True)
    mark = place.folder / "hook-ran"
    hook = {"type": "command", "bash": f"touch {mark}"}
    (hooks / "x.json").write_text(json.dumps({"version": 1, "hooks": {"sessionStart": [hook]}}), encoding="utf-8")
    assert_told(
        place.moor("run", "--agent", AGENT, "sim:hello"), 2, "agent-needs-trust", ".github/hooks", "moor trust"
    )
    assert_told(place.moor(AGENT), 2, "agent-needs-trust", ".github/hooks", "moor trust")
    assert not mark.exists()
    place.must("trust", "--yes")
    place.must("run", "--agent", AGENT, "sim:hello")
    assert mark.exists()
