"""Fixtures that all tests share: a home of their own, the real `moor`, the simulator, leak checks.

Nothing here reaches beyond loopback: an attempt to connect elsewhere from the test process fails the test.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support.fuzz import TIMES, examples
from tests.support.guard import refuse_remote_addresses
from tests.support.home import MoorHome, fresh_home
from tests.support.leaks import Snapshot, settled
from tests.support.moor import Done, run_moor_process

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config: pytest.Config) -> None:
    """Guard the process once, before any test is collected; a busy machine fails no property by its time."""
    sys.addaudithook(refuse_remote_addresses)
    hypothesis.settings.register_profile(
        "house",
        max_examples=examples(),
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
        print_blob=TIMES > 1,
    )
    hypothesis.settings.load_profile("house")
    # in the background of a shell SIGINT is ignored, under nohup SIGHUP; children inherit that, and a Ctrl-C that a
    # test types or a window that it closes does nothing
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A feature mark must name a numbered feature, so that the features page can list its test."""
    table = tomllib.loads((ROOT / "docs" / "reference" / "features.toml").read_text(encoding="utf-8"))
    known = {number for group in table["groups"] for number in group["features"]}
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.fuzz)
        for mark in item.iter_markers("feature"):
            wrong = [number for number in mark.args if number not in known]
            if wrong or not mark.args:
                raise pytest.UsageError(f"{item.nodeid}: no feature {wrong or '(none named)'} in features.toml")


@pytest.fixture
def moor_home(tmp_path: Path) -> MoorHome:
    """An empty HOME with a MOOR_HOME inside, and the clean environment that goes with it."""
    return fresh_home(tmp_path)


@pytest.fixture
def run_moor(moor_home: MoorHome) -> Any:
    """`run_moor("status", "--json", env={...}, stdin="", cwd=..., timeout=60) -> Done`: the real command."""

    def run(*argv: str, env: Mapping[str, str] | None = None, **how: Any) -> Done:
        return run_moor_process(argv, {**moor_home.environ, **(env or {})}, **{"cwd": moor_home.work, **how})

    return run


@pytest.fixture
def sim() -> Iterator[Any]:
    """A simulated workspace on loopback, with `.url` and `.control`."""
    from moor.sim.config import SimConfig
    from moor.sim.embedded import EmbeddedSim

    with EmbeddedSim(SimConfig()) as running:
        yield running


@pytest.fixture
def sim_engine() -> Iterator[Any]:
    """The simulator with a plain OpenAI-compatible engine at `/v1`, without a key."""
    from moor.sim.config import SimConfig
    from moor.sim.embedded import EmbeddedSim

    with EmbeddedSim(SimConfig(openai_engine=True)) as running:
        yield running


@pytest.fixture(scope="session")
def test_agents() -> Path:
    """The folder of installed agents (`<dir>/<agent>/<version>/`). Without it a test is skipped by name, and
    fails where CI is set."""
    named = os.environ.get("MOOR_TEST_AGENTS", "")
    folder = Path(named) if named else ROOT / ".agents-cache" / "agents"
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    message = "no agents are installed for tests; type: make agents"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture
def no_leaks() -> Iterator[None]:
    """Fails when the test leaves descriptors, threads or child processes behind (after 5 s of grace)."""
    before = Snapshot.take()
    yield
    left = settled(before, grace_s=5.0)
    assert not left, f"left behind: {left}"


@pytest.fixture(scope="session")
def checkout_commit() -> str:
    """The commit that is checked out; empty outside version control."""
    done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    return done.stdout.strip()
