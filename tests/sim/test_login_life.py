"""Tokens that live for a second, on the simulated workspace's own clock: nobody ever sends a dead one."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from moor.clock import SystemClock
from moor.domain.session import Session
from moor.domain.settings import UpstreamSettings
from moor.secrets import Secret, key_hash
from moor.sim.embedded import EmbeddedSim
from moor.store.credentials import CredentialStore
from moor.store.home import Home
from moor.store.keys import KeyStore
from moor.store.sessions import SessionStore
from moor.upstreams.databricks import KIND, DatabricksUpstream
from moor.upstreams.sim import sign_in_quietly
from moor.workspace.http import WorkspaceHttp
from moor.workspace.scim import who_am_i
from tests.support.home import MoorHome
from tests.support.workplace import wait_until


def upstream(folder: Path, sim: EmbeddedSim) -> DatabricksUpstream:
    return upstream_at(Home(folder / "home"), sim)


def upstream_at(home: Home, sim: EmbeddedSim) -> DatabricksUpstream:
    return DatabricksUpstream("ws", UpstreamSettings(kind=KIND, host=sim.url), home, {}, SystemClock())


def signed_in(folder: Path, sim: EmbeddedSim, ttl_s: float) -> DatabricksUpstream:
    sim.control.token_ttl(ttl_s)
    ws = upstream(folder, sim)
    CredentialStore(ws.home).save("ws", sign_in_quietly(ws.place))
    return ws


@pytest.mark.feature("F2.1", "F2.2")
def test_six_lives_of_a_token_pass_without_one_dead_answer(tmp_path: Path, sim: EmbeddedSim) -> None:
    signed_in(tmp_path, sim, 1.0)
    end = time.monotonic() + 6.5
    failures: list[str] = []

    def work() -> None:
        ws = upstream(tmp_path, sim)  # sources of their own, as processes have
        client = ws.place.client()
        while time.monotonic() < end:
            answer = client.get("/api/2.0/preview/scim/v2/Me", token=living_token(ws))
            if answer.status != 200:
                failures.append(f"{answer.status} {answer.body!r}")
            time.sleep(0.05)
        client.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = sim.control.tokens()
    assert failures == []
    assert counts["refreshes"] >= 6
    assert counts["refresh_presented_twice"] == 0
    assert counts["families_revoked"] == 0


def living_token(ws: DatabricksUpstream) -> Secret:
    source = ws.credential()
    return (source.current() or source.obtain()).secret


@pytest.mark.feature("F2.3")
@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}])
def test_a_token_endpoint_that_fails_costs_nothing_while_the_token_lives(
    tmp_path: Path, sim: EmbeddedSim, fault: dict[str, object]
) -> None:
    ws = signed_in(tmp_path, sim, 8.0)
    source = ws.credential()
    source.obtain()
    sim.control.fault("POST /oidc/v1/token", **fault)
    time.sleep(6.5)
    assert source.current() is None, "it is due"
    assert source.obtain().secret == source.obtain().secret
    sim.control.clear_faults()
    time.sleep(1.7)
    assert who_am_i(WorkspaceHttp(ws.place.client(), source)).user == "dev@example.com"
    assert sim.control.tokens()["refresh_presented_twice"] == 0


def session_gateway(moor_home: MoorHome, settings: UpstreamSettings) -> subprocess.Popen[str]:
    """A session's gateway that watches nothing."""
    home = Home(moor_home.root)
    session = Session(id="ses_end", agent="t", cwd="/", upstream="ws", model="m", key_hash=key_hash("moor-k" * 8))
    with closing(SessionStore(home)) as store:
        store.add(session)
    spec = msgspec.json.encode({"name": "ws", "upstream": settings})
    (home.session_dir(session.id) / "gateway.json").write_bytes(spec)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        fd = listening.fileno()
        argv = ["--home", str(home.root), "--session", session.id, "--listen-fd", str(fd)]
        return subprocess.Popen(
            [sys.executable, "-m", "moor.gateway", *argv], env=moor_home.environ, pass_fds=[fd], encoding="utf-8"
        )


def gateway_alone(moor_home: MoorHome, settings: UpstreamSettings) -> subprocess.Popen[str]:
    """`moor gateway`."""
    home = Home(moor_home.root)
    home.config_path.write_text(
        f'[defaults]\nupstream = "ws"\n[upstreams.ws]\nkind = "sim"\nhost = "{settings.host}"\n', encoding="utf-8"
    )
    KeyStore(home).create("editor")
    argv = [sys.executable, "-m", "moor", "gateway", "--port", "0", "--json"]
    process = subprocess.Popen(argv, env=moor_home.environ, stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["url"]
    return process


@pytest.mark.feature("F2.1", "F2.2")
@pytest.mark.parametrize("start", [session_gateway, gateway_alone])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_gateway_that_ends_while_it_renews_does_not_lose_the_sign_in(
    moor_home: MoorHome,
    sim: EmbeddedSim,
    start: Callable[[MoorHome, UpstreamSettings], subprocess.Popen[str]],
    number: signal.Signals,
) -> None:
    home = Home(moor_home.root)
    home.ensure()
    vault = CredentialStore(home)
    settings = UpstreamSettings(kind="sim", host=sim.url)
    signed = sign_in_quietly(DatabricksUpstream("ws", settings, home, {}, SystemClock()).place)
    vault.save("ws", msgspec.structs.replace(signed, expires_at=time.time() - 1))
    sim.control.fault("POST /oidc/v1/token", delay_s=2.0)
    with start(moor_home, settings) as process:
        try:
            wait_until(lambda: (stored := vault.load("ws")) and stored.presented_at, "no token was presented", 20)
            os.kill(process.pid, number)
            assert process.wait(10) == 0
        finally:
            process.kill()
    sim.control.clear_faults()
    stored = vault.load("ws")
    assert stored is not None
    assert (stored.presented_at, stored.refresh_token == signed.refresh_token) == (0.0, False)
    assert who_am_i(WorkspaceHttp(upstream_at(home, sim).place.client(), upstream_at(home, sim).credential())).user
    assert sim.control.tokens()["refresh_presented_twice"] == 0
