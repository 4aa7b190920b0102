"""The built-in simulator as an upstream: started on demand, and gone with its owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from moor.clock import SystemClock
from moor.domain.settings import UpstreamSettings
from moor.errors.sim import SimNotStarted
from moor.sim.embedded import EmbeddedSim
from moor.store.credentials import CredentialStore
from moor.store.home import Home
from moor.upstreams.sim import KIND, SimUpstream
from moor.workspace.signin import Conversation

QUIET = Conversation(lambda _text: None, None)


def simulator(folder: Path, host: str = "") -> SimUpstream:
    settings = UpstreamSettings(kind=KIND, host=host)
    return SimUpstream("sim", settings, Home(folder / "home"), dict(os.environ), SystemClock())


@pytest.mark.usefixtures("no_leaks")
def test_one_of_its_own_is_started_signed_in_and_stopped(tmp_path: Path) -> None:
    up = simulator(tmp_path)
    assert not up.needs_sign_in()
    assert up.ssl_context() is None
    with pytest.raises(SimNotStarted):
        _ = up.place
    up.prepare()
    up.prepare()
    first = up.credential().obtain()
    assert first.secret
    renewed = up.credential().obtain(dead=first)
    assert renewed.generation != first.generation
    assert up.refresh_catalogue().user
    up.close()
    up.close()
    assert CredentialStore(up.home).load("sim") is None, "its tokens are worth nothing tomorrow"


@pytest.mark.usefixtures("no_leaks")
def test_its_models_are_fetched_without_a_running_one(tmp_path: Path) -> None:
    up = simulator(tmp_path)
    models = up.refresh_catalogue().models
    assert len(models) > 20
    assert all(model.price is None or model.price.source == "workspace" for model in models)
    assert simulator(tmp_path).catalogue().models == models


def test_a_running_one_is_signed_in_to_without_a_browser(tmp_path: Path, sim: EmbeddedSim) -> None:
    up = simulator(tmp_path, sim.url)
    assert up.needs_sign_in()
    up.sign_in(QUIET)
    assert not up.needs_sign_in()
    assert up.refresh_catalogue().user == "dev@example.com"


def test_the_simulator_dies_with_a_killed_owner(tmp_path: Path) -> None:
    script = (
        "import os, sys, time\n"
        "from moor.upstreams.simprocess import SimProcess\n"
        "sim = SimProcess(dict(os.environ))\n"
        "print(sim.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline())
        owner.send_signal(signal.SIGKILL)
    end = time.monotonic() + 5
    while Path(f"/proc/{child}/cmdline").exists() and time.monotonic() < end:
        if not Path(f"/proc/{child}/cmdline").read_bytes():
            break  # a zombie that nobody reaps here
        time.sleep(0.05)
    assert time.monotonic() < end


def test_a_folder_with_a_module_of_our_name_cannot_take_its_place(tmp_path: Path) -> None:
    (tmp_path / "moor").mkdir()
    (tmp_path / "moor" / "__init__.py").write_text("raise SystemExit(9)", encoding="utf-8")
    script = (
        "import os\nfrom moor.upstreams.simprocess import SimProcess\n"
        "sim = SimProcess(dict(os.environ)); print(sim.url); sim.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=tmp_path, capture_output=True, check=False, timeout=30
    )
    assert done.stdout.startswith(b"http://127.0.0.1:"), done.stderr
