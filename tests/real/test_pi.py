"""Pi where it differs from the other agents: it never asks, so an extension of moor's asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real

AGENT = "pi"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp(AGENT), test_agents) as made:
        yield made


@pytest.mark.feature("F17.10")
def test_the_preset_read_holds_though_it_has_no_permissions_of_its_own(place: Workplace) -> None:
    done = place.must("run", "--agent", AGENT, "--preset", "read", "--json", "sim:fix-test")
    assert done.last_json["changed_files"] == []
    denied = {one["what"].partition(":")[0] for one in done.last_json["auto_answered"] if one["answer"] == "denied"}
    assert denied == {"bash", "edit"}
    assert "Not allowed in this session" in done.last_json["text"]


@pytest.mark.feature("F17.5")
def test_its_tools_see_neither_the_key_nor_the_place_to_ask_at(place: Workplace) -> None:
    done = place.must("run", "--agent", AGENT, "--preset", "full", "--json", "sim:run:printenv")
    assert "PI_MODEL=" in done.last_json["text"] or "moor-" not in done.last_json["text"]
    assert "=moor-" not in done.last_json["text"]
    assert "MOOR_ASK" not in done.last_json["text"]


@pytest.mark.parametrize("model", ["system.ai.gpt-5", "system.ai.gemini-2-5-pro", "system.ai.kimi-k2-7-code"])
def test_models_of_its_other_dialects_answer(place: Workplace, model: str) -> None:
    done = place.must("run", "--agent", AGENT, "--model", model, "--json", "sim:hello")
    assert done.last_json["text"] == "Hello from the simulated model."
    assert {call["model"] for call in place.model_calls()[-1:]} == {model}
