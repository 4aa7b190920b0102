"""Tokens that live for a second, on the simulated workspace's own clock: nobody ever sends a dead one."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from moor.clock import SystemClock
from moor.domain.settings import UpstreamSettings
from moor.secrets import Secret
from moor.sim.embedded import EmbeddedSim
from moor.store.credentials import CredentialStore
from moor.store.home import Home
from moor.upstreams.databricks import KIND, DatabricksUpstream
from moor.upstreams.sim import sign_in_quietly
from moor.workspace.http import WorkspaceHttp
from moor.workspace.scim import who_am_i


def upstream(folder: Path, sim: EmbeddedSim) -> DatabricksUpstream:
    home = Home(folder / "home")
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
    ws = signed_in(tmp_path, sim, 4.0)
    source = ws.credential()
    source.obtain()
    sim.control.fault("POST /oidc/v1/token", **fault)
    time.sleep(3.3)
    assert source.current() is None, "it is due"
    assert source.obtain().secret == source.obtain().secret
    sim.control.clear_faults()
    time.sleep(0.9)
    assert who_am_i(WorkspaceHttp(ws.place.client(), source)).user == "dev@example.com"
    assert sim.control.tokens()["refresh_presented_twice"] == 0
