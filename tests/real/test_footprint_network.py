"""No connection leaves this machine, a warm launch makes none at all, and a dry run starts nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from moor.agents import DEFAULT_AGENT as AGENT
from moor.domain.result import COMPLETED
from tests.support.footprint import changes, picture
from tests.support.moor import moor_command
from tests.support.workplace import UPSTREAM, Workplace, last_json, workplace

pytestmark = pytest.mark.real

_ADDRESS = re.compile(r'sin6?_port=htons\((\d+)\).*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")')
LOCAL = ("127.", "::1", "::ffff:127.", "0.0.0.0")
"""this machine, as the kernel shows it"""


@pytest.fixture
def place(tmp_path: Path, test_agents: Path) -> Iterator[Workplace]:
    with workplace(tmp_path, test_agents) as made:
        yield made


@pytest.fixture
def own_sim(place: Workplace) -> Workplace:
    """With a second upstream whose simulator is started for each session, in the session's own network."""
    place.must("upstream", "add", "own", "--kind", "sim")
    place.must("models", "--upstream", "own", "--refresh")
    return place


@pytest.mark.feature("F18.1")
def test_a_run_succeeds_where_there_is_no_network(own_sim: Workplace) -> None:
    isolated = without_network()
    done = subprocess.run(
        [*isolated, *moor_command(), "run", "--json", "--upstream", "own", "Please mend it, sim:fix-test"],
        env=own_sim.environ,
        cwd=own_sim.repository,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = last_json(done.stdout)
    assert (result["status"], result["changed_files"]) == (COMPLETED, ["pricing.py"])
    own_sim.wait_gone()


@pytest.mark.feature("F18.1")
@pytest.mark.timeout(180)
def test_no_process_of_a_run_tries_to_reach_another_machine(place: Workplace) -> None:
    log = traced(place, "connect,sendto,sendmsg,sendmmsg", "run", "--json", "Please mend it, sim:fix-test")
    reached = [found.groups() for found in _ADDRESS.finditer(log)]
    assert reached, "the trace must hold the calls to the gateway"
    beyond = {(port, v4 or v6) for port, v4, v6 in reached if not (v4 or v6).startswith(LOCAL)}
    assert beyond == set()


@pytest.mark.feature("F7.4")
def test_a_warm_launch_connects_to_nothing_before_the_agent_runs(place: Workplace) -> None:
    place.must(AGENT, "--version")
    log = traced(place, "connect,sendto,execve", AGENT, "--version")
    lines = log.splitlines()
    launcher = lines[0].split()[0]
    own = [line for line in lines if line.split()[0] == launcher]
    handed = next(number for number, line in enumerate(own) if "execve(" in line and f"/bin/{AGENT}" in line)
    assert [line for line in own[:handed] if "connect(" in line or "sendto(" in line] == []
    assert sum("execve(" in line for line in own[:handed]) == 1, "nothing but moor itself ran before"
    place.assert_clean_end()


@pytest.mark.feature("F5.6")
def test_a_dry_run_prints_the_plan_and_starts_and_writes_nothing(place: Workplace) -> None:
    before = [picture(folder) for folder in (place.home.user, place.repository)]
    log = traced(place, "connect,execve,clone,fork,vfork,clone3", "--dry-run", AGENT)
    assert log.count("execve(") == 1
    assert "connect(" not in log
    assert "fork(" not in log
    after = [picture(folder) for folder in (place.home.user, place.repository)]
    assert [changes(*pair) for pair in zip(before, after, strict=True)] == [[], []]
    assert place.sessions() == []
    plan = place.must("--dry-run", AGENT).stdout
    assert UPSTREAM in plan
    assert place.must("run", "--dry-run", "--json").last_json["agent"] == AGENT


def without_network() -> list[str]:
    """The command prefix that gives a process a network of its own with loopback only; skips where there is none."""
    unshare, ip = shutil.which("unshare"), shutil.which("ip", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if unshare is None or ip is None:
        pytest.skip("unshare or ip is not installed")
    prefix = [unshare, "--map-root-user", "--net", "sh", "-c", f'{ip} link set lo up && exec "$@"', "sh"]
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine does not permit a network namespace")
    return prefix


def traced(place: Workplace, calls: str, *argv: str) -> str:
    """What strace saw of those system calls in the command and all it started; a line begins with the pid."""
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    log = place.folder / "trace"
    done = subprocess.run(
        [strace, "-f", "-qq", "-s", "200", "-e", f"trace={calls}", "-o", str(log), *moor_command(), *argv],
        env=place.environ,
        cwd=place.repository,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=150,
        check=False,
    )
    if "ptrace" in done.stderr and done.returncode:
        pytest.skip("this machine does not permit strace")
    assert done.returncode == 0, done.stderr
    return log.read_text(encoding="utf-8", errors="replace")
