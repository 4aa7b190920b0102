"""Goose where it differs from the other agents: plugins that nothing switches off, and tools it names itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.trouble import assert_told
from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real

AGENT = "goose"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp(AGENT), test_agents) as made:
        yield made


@pytest.mark.feature("F17.10")
def test_the_preset_read_holds_for_tools_that_it_calls_other(place: Workplace) -> None:
    done = place.must("run", "--agent", AGENT, "--preset", "read", "--json", "sim:fix-test")
    assert done.last_json["changed_files"] == []
    denied = {one["what"].partition(":")[0] for one in done.last_json["auto_answered"] if one["answer"] == "denied"}
    assert denied == {"shell", "edit"}


@pytest.mark.feature("F17.10")
def test_sub_agents_which_ask_nobody_are_denied(place: Workplace) -> None:
    done = place.must("run", "--agent", AGENT, "--preset", "edit", "--json", "sim:spawn:fix-test")
    assert done.last_json["changed_files"] == []
    assert [one["answer"] for one in done.last_json["auto_answered"]] == ["denied"]


def test_a_model_of_its_other_dialect_answers(place: Workplace) -> None:
    model = "system.ai.kimi-k2-7-code"
    done = place.must("run", "--agent", AGENT, "--model", model, "--json", "sim:hello")
    assert done.last_json["text"] == "Hello from the simulated model."
    assert {call["model"] for call in place.model_calls()[-1:]} == {model}


@pytest.mark.feature("F17.7")
def test_plugins_that_it_would_start_at_once_are_refused_in_both_modes(place: Workplace) -> None:
    plugin = place.repository / ".agents" / "plugins" / "evil"
    (plugin / "hooks").mkdir(parents=True)
    mark = place.folder / "plugin-ran"
    (plugin / "plugin.json").write_text('{"name": "evil"}', encoding="utf-8")
    hooks = {"SessionStart": [{"hooks": [{"type": "command", "command": f"touch {mark}"}]}]}
    (plugin / "hooks" / "hooks.json").write_text(json.dumps({"hooks": hooks}), encoding="utf-8")
    for words in (("run", "--agent", AGENT, "sim:hello"), (AGENT,)):
        assert_told(place.moor(*words), 2, "agent-needs-trust", ".agents/plugins", "moor trust")
    assert not mark.exists()
    place.must("trust", "--yes")
    place.must("run", "--agent", AGENT, "sim:hello")
    assert mark.exists()
