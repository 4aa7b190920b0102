"""The real OpenCode does the same task on every model of the strict workspace, over each form of route.

Each model is called in the dialect that moor picks for it there: Claude over the Messages route, GPT over Responses
(chat on classic serving), Gemini over its own (chat on classic serving), open and external ones over chat.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moor.domain.result import COMPLETED
from moor.sim.catalogue.models import CATALOGUE, CHAT_API, NOT_READY, SERVICE, ModelCard, cards
from moor.store.db import connect
from moor.workspace.routes import GATEWAY, GATEWAY_HOST, ROUTES, SERVING
from tests.support.workplace import Workplace, workplace

pytestmark = pytest.mark.real

COVERING = (
    ("databricks-gpt-oss-120b", GATEWAY, "list-content"),
    ("team-external-claude", GATEWAY, "chat-cache-marks"),
    ("databricks-gemini-3-1-pro", SERVING, "gemini-schema-keys"),
    ("system.ai.claude-opus-5", GATEWAY_HOST, "eager-input-streaming"),
)
"""model, route, and a rule without which that call is refused or misread"""


def ids_on(card: ModelCard, route: str) -> tuple[str, ...]:
    """The ids by which a route has the model: no Unity Catalog id on classic serving."""
    return tuple(model_id for model_id in card.ids if route != SERVING or not model_id.startswith(SERVICE))


EVERY = [
    (model_id, route)
    for card in cards()
    for route in ROUTES
    for model_id in ids_on(card, route)
    if card.api_types and card.ready != NOT_READY
]

ODD = [(model_id, route) for model_id, route in EVERY if CATALOGUE[model_id].quirky and route != GATEWAY_HOST]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path_factory.mktemp("matrix"), test_agents) as made:
        for route in ROUTES:
            host = ("--gateway-host", f"{made.sim.url}/ai-gateway") if route == GATEWAY_HOST else ()
            made.must("upstream", "add", route, "--kind", "sim", "--host", made.sim.url, "--route", route, *host)
            made.must("login", "--upstream", route)
        yield made


@pytest.fixture
def place(shared: Workplace) -> Iterator[Workplace]:
    """The same user in a clean tree at a workspace with its usual switches."""
    shared.git("reset", "-q", "--hard")
    shared.git("clean", "-qfd")
    yield shared
    shared.sim.control.switch(tool_call_quirk=False, finish_reason_quirk=False)
    shared.assert_clean_end()


def mend(place: Workplace, model_id: str, route: str) -> dict[str, Any]:
    """Have the failing test mended; the result, once the test really passes and no call failed."""
    done = place.moor("run", "--json", "--upstream", route, "--model", model_id, "please mend it, sim:fix-test")
    assert done.code == 0, done.stdout + done.stderr
    result: dict[str, Any] = done.last_json
    assert (result["status"], result["model"], result["changed_files"]) == (COMPLETED, model_id, ["pricing.py"])
    subprocess.run(["python3", "-B", "-m", "unittest", "-q"], cwd=place.repository, check=True, capture_output=True)
    row = place.must("usage", "--session", result["session"], "--by", "session", "--json").last_json[0]
    assert row["failed"] == 0
    assert row["calls"] > 4
    return result


def rules_of(place: Workplace, session_id: str) -> set[str]:
    """The rules that changed a call of a session, as the ledger names them."""
    with contextlib.closing(connect(place.store)) as db:
        rows = db.execute("SELECT rules FROM calls WHERE session = ?", (session_id,)).fetchall()
    return {rule for (rules,) in rows for rule in json.loads(rules)}


@pytest.mark.feature("F3.5", "F3.8")
@pytest.mark.parametrize(("model_id", "route", "rule"), COVERING)
def test_a_model_of_each_family_does_the_task_over_each_form_of_route(
    place: Workplace, model_id: str, route: str, rule: str
) -> None:
    assert rule in rules_of(place, mend(place, model_id, route)["session"])


@pytest.mark.feature("F3.8")
def test_a_model_whose_calls_come_back_wrapped_and_ended_wrongly_does_the_task(place: Workplace) -> None:
    place.sim.control.switch(tool_call_quirk=True, finish_reason_quirk=True)
    result = mend(place, "databricks-glm-5-2", GATEWAY)
    assert {"tool-call-names", "tool-call-finish"} <= rules_of(place, result["session"])


@pytest.mark.feature("F3.8")
def test_a_model_that_reads_one_call_at_a_time_may_make_two(place: Workplace) -> None:
    result = place.must(
        "run", "--json", "--upstream", GATEWAY, "--model", "databricks-gpt-oss-120b", "sim:parallel"
    ).last_json
    assert (result["status"], result["tool_calls"]) == (COMPLETED, 2)
    assert "parallel-tool-calls" in rules_of(place, result["session"])


@pytest.mark.feature("F4.3")
def test_a_model_that_is_not_ready_is_named_before_the_agent_starts(shared: Workplace) -> None:
    model_id = next(model_id for card in cards() if card.ready == NOT_READY for model_id in card.ids)
    done = shared.must("run", "--dry-run", "--upstream", GATEWAY, "--model", model_id, "hello")
    assert done.stderr.count("was not ready") == 1
    assert f"warning: {model_id} was not ready when the models were listed; see: moor models --refresh" in done.stderr
    assert "not ready" not in shared.must("run", "--dry-run", "--upstream", GATEWAY, "hello").stderr


@pytest.mark.full
@pytest.mark.parametrize(("model_id", "route"), EVERY)
def test_every_model_does_the_task_over_every_route(place: Workplace, model_id: str, route: str) -> None:
    mend(place, model_id, route)


@pytest.mark.full
@pytest.mark.parametrize(("model_id", "route"), ODD)
def test_every_open_model_does_the_task_with_all_its_oddities(place: Workplace, model_id: str, route: str) -> None:
    place.sim.control.switch(tool_call_quirk=True, finish_reason_quirk=True)
    mend(place, model_id, route)


def test_every_family_and_route_of_the_workspace_is_in_the_list() -> None:
    assert {route for _, route in EVERY} == set(ROUTES)
    named = {model_id for model_id, _ in EVERY}
    assert all(set(card.ids) <= named for card in cards() if CHAT_API in card.api_types and card.ready != NOT_READY)
