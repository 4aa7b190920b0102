"""Every agent does the task for an ordinary user too, where tests are run by root; and where there is no network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from moor.domain.result import COMPLETED
from moor.store.home import Home
from tests.real.every.probe import Probe
from tests.real.every.station import Station, installed, result_of, trap
from tests.support.moor import Done, run_moor_process
from tests.support.network import without_network
from tests.support.workplace import workplace

pytestmark = [pytest.mark.real, pytest.mark.full]

NOBODY = 65534
TASK = "Please mend the failing test, sim:fix-test"


@pytest.fixture
def alone(agent_id: str, probe: Probe, test_agents: Path) -> Iterator[Station]:
    """A workplace that no other test uses, in a folder that another user can reach."""
    with tempfile.TemporaryDirectory(prefix="moor-every-") as name, trap() as made:
        folder = Path(name)
        installed(agent_id, test_agents, Home(folder / "none"))
        with workplace(folder, test_agents) as place:
            yield Station(agent_id, probe, place, made)
            place.wait_gone()


def done_by(station: Station, before: Sequence[str], *argv: str) -> Done:
    """The task, by a moor that another program starts."""
    place = station.place
    return run_moor_process(
        station.run_argv(*argv, TASK), place.environ, cwd=place.repository, timeout=110, before=before
    )


def assert_done(done: Done) -> None:
    """It completed, and changed what was asked for."""
    result = result_of(done)
    assert (done.code, result["status"]) == (0, COMPLETED), f"{result}\n{done.stderr}"
    assert result["changed_files"] == ["pricing.py"]


def test_the_task_is_done_for_an_ordinary_user(alone: Station) -> None:
    before = as_nobody()
    folder = alone.place.folder
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    assert_done(done_by(alone, before))


@pytest.mark.feature("F18.1")
def test_the_task_is_done_where_there_is_no_network(alone: Station) -> None:
    before = without_network()
    alone.place.must("upstream", "add", "own", "--kind", "sim")
    alone.place.must("models", "--upstream", "own", "--refresh")
    assert_done(done_by(alone, before, "--upstream", "own"))


def as_nobody() -> list[str]:
    """What to put before a command to run it as another user, who may read the test agents all the same."""
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("only root can become another user, by setpriv")
    read = "+dac_read_search"
    who = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    prefix = [setpriv, *who, "--inh-caps", read, "--ambient-caps", read]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not permit another user")
    return prefix
