"""An agent whose program is missing, too old, too new, broken or stuck: told in words, and nothing is left."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest

from moor.agents.base import Installed
from moor.domain.result import TIMEOUT
from tests.real.every.fakes import CRASH, HANG, stand_in
from tests.real.every.station import Station, installed, result_of
from tests.support.trouble import assert_result, assert_told

pytestmark = pytest.mark.real

NOWHERE = {
    "npm_config_registry": "http://127.0.0.1:9/",
    "npm_config_fetch_retries": "0",
    "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
    "PIP_RETRIES": "0",
    "PIP_CONFIG_FILE": "/dev/null",
}
"""no registry answers"""


@pytest.fixture(scope="module")
def real(shared: Station, test_agents: Path) -> Installed:
    """The agent that works."""
    return installed(shared.agent_id, test_agents, shared.place.store)


@pytest.mark.feature("F6.11", "F12.27")
def test_a_missing_one_that_cannot_be_fetched_is_told(station: Station, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "env", "git", "uname", "ldd", "node", "npm"):
        if found := shutil.which(name):
            (tools / name).symlink_to(found)
    began = time.monotonic()
    done = station.run("sim:hello", env={**NOWHERE, "MOOR_TEST_AGENTS": "", "PATH": str(tools)})
    assert_told(done, 5, "agent-install")
    assert_result(done, "failed", "agent-install")
    assert time.monotonic() - began < 80
    assert not list(station.place.store.agents_dir.glob(f"{station.agent_id}/[0-9]*"))


@pytest.mark.feature("F6.12")
def test_one_that_is_too_old_is_refused_with_the_way_back(
    station: Station, real: Installed, test_agents: Path, tmp_path: Path
) -> None:
    agents = stand_in(tmp_path, station.agent_id, real, test_agents, CRASH, station.probe.too_old)
    done = station.run("sim:hello", env={"MOOR_TEST_AGENTS": agents})
    assert_told(done, 5, "agent-version", station.probe.too_old, f"moor agents install {station.agent_id}")
    assert_result(done, "failed", "agent-version")


@pytest.mark.feature("F6.12")
def test_one_that_is_newer_than_tested_is_told_with_the_way_back(
    station: Station, real: Installed, test_agents: Path, tmp_path: Path
) -> None:
    agents = stand_in(tmp_path, station.agent_id, real, test_agents, CRASH, station.probe.too_new)
    done = station.run("sim:hello", env={"MOOR_TEST_AGENTS": agents})
    assert result_of(done)["error"]["ref"] in ("agent-version", "agent-start")
    assert station.probe.too_new in done.stderr
    assert f"moor agents install {station.agent_id}" in done.stderr


@pytest.mark.feature("F12.27")
def test_one_that_crashes_at_its_start_is_told_with_its_words(
    station: Station, real: Installed, test_agents: Path, tmp_path: Path
) -> None:
    env = {"MOOR_TEST_AGENTS": stand_in(tmp_path, station.agent_id, real, test_agents, CRASH)}
    done = station.run("sim:hello", env=env)
    assert_told(done, 1, "agent-start", "no luck today", f"moor agents install {station.agent_id}")
    assert_result(done, "failed", "agent-start")
    own = station.own(station.probe.shot, "sim:hello", env=env)
    assert (own.code, "no luck today" in own.stderr) == (7, True), own


@pytest.mark.feature("F12.9", "F12.11")
def test_one_that_hangs_at_its_start_ends_at_the_time_limit(
    station: Station, real: Installed, test_agents: Path, tmp_path: Path
) -> None:
    """At a second start: what must have happened once in its private home has happened."""
    station.must_run("sim:hello")
    env = {"MOOR_TEST_AGENTS": stand_in(tmp_path, station.agent_id, real, test_agents, HANG)}
    done = station.run("--timeout", "4", "sim:hello", env=env, timeout=30)
    assert_result(done, TIMEOUT, "run-timeout")
    assert done.code == 1


@pytest.mark.full
@pytest.mark.timeout(120)
def test_one_that_hangs_at_its_start_is_given_up_within_a_minute(
    station: Station, real: Installed, test_agents: Path, tmp_path: Path
) -> None:
    env = {"MOOR_TEST_AGENTS": stand_in(tmp_path, station.agent_id, real, test_agents, HANG)}
    done = station.run("sim:hello", env=env, timeout=75)
    assert_told(done, 1, "agent-start")
    assert_result(done, "failed", "agent-start")
