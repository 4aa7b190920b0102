"""Every test of this folder runs once for each agent of the registry; `probes/<agent>.py` says what it must know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.agents import AGENTS, DEFAULT_AGENT
from moor.store.home import Home
from tests.real.every.probe import Probe
from tests.real.every.station import Station, installed, probe_of, trap
from tests.support.workplace import workplace

HERE = Path(__file__).parent

COVERING = {
    "test_the_task_is_done_headless_and_nothing_else_is_touched",
    "test_the_task_is_done_in_its_own_interface_from_a_silent_first_launch",
    "test_a_turn_outlives_its_tokens",
    "test_a_question_nobody_can_answer_is_rejected_and_the_work_goes_on",
    "test_nothing_of_it_acts_in_a_run_and_its_rules_are_heard",
    "test_its_permissions_let_nothing_through",
    "test_trust_lets_its_programs_in_but_neither_models_nor_addresses",
    "test_a_denied_model_named_to_moor_is_refused_before_the_agent_starts",
    "test_the_first_ways_of_its_own_reach_no_denied_model",
    "test_its_calls_are_in_the_ledger_under_its_own_name",
    "test_one_that_is_too_old_is_refused_with_the_way_back",
    "test_one_that_is_newer_than_tested_is_told_with_the_way_back",
    "test_one_that_crashes_at_its_start_is_told_with_its_words",
    "test_one_that_is_killed_in_the_middle_is_told",
    "test_a_closed_terminal_ends_agent_gateway_and_commands",
    "test_one_that_is_killed_in_its_interface_leaves_nothing",
    "test_a_refusal_ends_the_run_in_its_words",
    "test_a_sign_in_that_is_gone_ends_the_run_with_the_command_to_type",
    "test_a_stream_that_breaks_off_or_just_ends_is_repeated_or_told_and_never_an_answer",
    "test_an_endless_answer_is_stopped_at_the_cap_with_a_sentence",
}
"""what `make test` runs of this suite for each agent; all else is for `make test-full`"""

COVERING_DESCRIBED = {
    "test_the_task_is_done_headless_and_nothing_else_is_touched",
    "test_the_task_is_done_in_its_own_interface_from_a_silent_first_launch",
    "test_a_turn_outlives_its_tokens",
    "test_nothing_of_it_acts_in_a_run_and_its_rules_are_heard",
    "test_the_first_ways_of_its_own_reach_no_denied_model",
    "test_one_that_crashes_at_its_start_is_told_with_its_words",
    "test_a_refusal_ends_the_run_in_its_words",
    "test_a_closed_terminal_ends_agent_gateway_and_commands",
}
"""… and for each agent that is a description: the code behind all of them is the same"""

COVERING_DEFAULT = {"test_the_task_is_done_in_its_own_interface_from_a_silent_first_launch"}
"""… and for the default agent, which the tests beside this folder drive through the same and more"""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is not in the covering set as `full`."""
    ours = [item for item in items if HERE in item.path.parents and isinstance(item, pytest.Function)]
    for item in ours:
        if item.originalname not in covering(item.callspec.params["agent_id"]):
            item.add_marker(pytest.mark.full)


def covering(agent_id: str) -> set[str]:
    """The tests of `make test` for an agent."""
    if agent_id == DEFAULT_AGENT:
        return COVERING_DEFAULT
    return COVERING_DESCRIBED if "described" in AGENTS[agent_id].target else COVERING


@pytest.fixture(scope="module", params=sorted(AGENTS))
def agent_id(request: pytest.FixtureRequest) -> str:
    """The id of the agent."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def probe(agent_id: str) -> Probe:
    """What the suite knows of it."""
    return probe_of(agent_id)


@pytest.fixture(autouse=True)
def _no_gap(request: pytest.FixtureRequest, probe: Probe) -> None:
    """What cannot hold for an agent is skipped with the sentence that stands in the docs."""
    if why := probe.not_proven().get(request.node.originalname):
        pytest.skip(why)


@pytest.fixture(scope="module")
def shared(
    request: pytest.FixtureRequest,
    agent_id: str,
    probe: Probe,
    tmp_path_factory: pytest.TempPathFactory,
    test_agents: Path,
) -> Iterator[Station]:
    """One signed-in user with one agent, for all tests of a file; its `SIM` are fields of SimConfig."""
    folder = tmp_path_factory.mktemp("every")
    installed(agent_id, test_agents, Home(folder / "none"))
    with trap() as made, workplace(folder, test_agents, tls=True, **getattr(request.module, "SIM", {})) as place:
        yield Station(agent_id, probe, place, made)


@pytest.fixture
def station(shared: Station) -> Iterator[Station]:
    """The same in a clean tree; afterwards nothing of the session is left after five seconds."""
    shared.clean()
    shared.place.sim.control.clear_faults()
    yield shared
    shared.place.wait_gone()
    if shared.place.sessions():
        shared.place.assert_clean_end()
