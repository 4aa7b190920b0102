"""Every test of this folder runs once for each agent of the registry; `probes/<agent>.py` says what it must know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.agents import AGENTS
from moor.store.home import Home
from tests.real.every.probe import Probe
from tests.real.every.station import Station, installed, probe_of, trap
from tests.support.workplace import workplace


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
    name = request.node.originalname
    if name in probe.gaps:
        pytest.skip(probe.gaps[name])


@pytest.fixture(scope="module")
def shared(
    agent_id: str, probe: Probe, tmp_path_factory: pytest.TempPathFactory, test_agents: Path
) -> Iterator[Station]:
    """One signed-in user with one agent, for all tests of a file."""
    folder = tmp_path_factory.mktemp("every")
    installed(agent_id, test_agents, Home(folder / "none"))
    with trap() as made, workplace(folder, test_agents) as place:
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
