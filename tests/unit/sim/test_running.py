"""Starting and stopping the simulator: embedded, stand-alone, over TLS."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request

import pytest

from moor.clock import ManualClock
from moor.errors.sim import SimControlFailed, SimNotStarted
from moor.sim.config import SimConfig
from moor.sim.control.client import SimControl
from moor.sim.embedded import EmbeddedSim
from moor.sim.server import SimServer
from moor.sim.switches import SWITCHES


def _alone(*args):
    """A stand-alone simulator and the URL it wrote to its descriptor."""
    reads, writes = os.pipe()
    argv = [sys.executable, "-m", "moor.sim", "--ready-fd", str(writes), *args]
    process = subprocess.Popen(
        argv, pass_fds=(writes,), stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    os.close(writes)
    with os.fdopen(reads, encoding="utf-8") as ready:
        return process, ready.readline().strip()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_runs_alone_says_that_it_is_simulated_and_ends_by_signal(number):
    process, url = _alone("--token-ttl", "5", "--switch", "count-tokens", "--switch", "list-content=off")
    positions = {row["name"]: row["on"] for row in SimControl(url).call("GET", "switches")}
    assert (positions["count-tokens"], positions["list-content"]) == (True, False)
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (0, "")
    assert out == f"simulated workspace: {url} (simulated)\n"


def test_a_taken_port_is_an_error_with_a_hint():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process, url = _alone("--port", str(taken.getsockname()[1]))
    out, err = process.communicate(timeout=10)
    assert (process.returncode, url, out) == (4, "", "")
    assert "sim-not-started" in err
    assert "hint: moor sim --port 0" in err


@pytest.mark.parametrize("switch", ["nonsense", "gateway=perhaps"])
def test_an_unknown_switch_or_position_is_wrong_use(switch):
    process, _ = _alone("--switch", switch)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 2
    assert f"no switch '{switch}'" in err


def test_it_ends_when_the_other_end_of_its_lifeline_is_gone():
    reads, writes = os.pipe()
    argv = [sys.executable, "-m", "moor.sim", "--lifeline-fd", str(reads)]
    process = subprocess.Popen(argv, pass_fds=(reads,), stdout=subprocess.PIPE, encoding="utf-8")
    os.close(reads)
    assert process.stdout.readline().startswith("simulated workspace: ")
    assert process.poll() is None
    os.close(writes)
    process.communicate(timeout=10)
    assert process.returncode == 0


@pytest.mark.parametrize(("option", "word"), [("--list-switches", "count-tokens"), ("--list-scenarios", "fix-test")])
def test_it_lists_what_can_be_named(option, word):
    done = subprocess.run(
        [sys.executable, "-m", "moor.sim", option], capture_output=True, encoding="utf-8", check=True
    )
    assert word in done.stdout


def test_only_loopback_is_served():
    with pytest.raises(SimNotStarted, match=r"0\.0\.0\.0"):
        EmbeddedSim(SimConfig(host="0.0.0.0")).start()


def test_the_embedded_one_leaves_no_thread_and_no_port():
    before = threading.active_count()
    with EmbeddedSim() as sim:
        url = sim.url
        stuck = socket.create_connection((sim.state.config.host, int(url.rsplit(":", 1)[1])))
    assert threading.active_count() == before
    stuck.close()
    with pytest.raises(SimControlFailed):
        SimControl(url).tokens()
    sim.close()


def test_the_clock_is_an_argument():
    clock = ManualClock()
    with EmbeddedSim(clock=clock) as sim:
        assert sim.control.call("POST", "clock", {"advance_s": 5})["now"] == clock.now() + 5


async def _close_during_a_stall():
    server = SimServer(SimConfig())
    await server.start()
    server.state.faults.add(_never())
    reader, writer = await asyncio.open_connection("127.0.0.1", int(server.url.rsplit(":", 1)[1]))
    writer.write(b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n")
    await writer.drain()
    while not server.state.log.all():
        await asyncio.sleep(0.01)
    await server.close()
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()


def _never():
    from moor.sim.faults import Fault

    return Fault(first_byte_never=True)


def test_closing_drops_what_is_stuck():
    asyncio.run(_close_during_a_stall())


def test_it_speaks_tls(tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-days", "2", "-keyout", str(key), "-out", str(cert), *subject],
        check=True,
        capture_output=True,
    )
    with EmbeddedSim(SimConfig(tls_cert=str(cert), tls_key=str(key))) as sim:
        assert sim.url.startswith("https://127.0.0.1:")
        trust = ssl.create_default_context(cafile=str(cert))
        with urllib.request.urlopen(f"{sim.url}/.well-known/databricks-config", context=trust, timeout=5) as reply:
            assert json.load(reply)["oidc_endpoint"] == f"{sim.url}/oidc"
        assert sim.control.tokens()["issued"] == 0


def test_a_certificate_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(SimNotStarted, match="nothing"):
        EmbeddedSim(SimConfig(tls_cert=str(tmp_path / "nothing.pem"))).start()


def test_every_switch_says_what_it_does_and_where_that_is_known_from():
    assert all(switch.about and switch.source for switch in SWITCHES.values())
