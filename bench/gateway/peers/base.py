"""What a peer is: where it is installed, how it is started in a home of its own, and what the load has to send it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from bench.gateway.peers.ask import Refused, ask
from bench.gateway.systems import KEY, System, await_port, free_port

INSTALLED = Path(__file__).resolve().parents[3] / "build" / "bench-peers"
MARK = "installed.txt"
"""stands in a peer's folder when its installation is whole; holds the version"""
KINDS = ("small", "stream", "flood", "body")


class Place(NamedTuple):
    """Where one run of a peer lives."""

    root: Path
    """the environment it is installed in"""
    home: Path
    """an empty folder: its home, its working directory, its settings"""
    port: int
    origin: int
    """port of the model endpoint, plain HTTP on loopback"""

    @property
    def upstream(self) -> str:
        """Base address of the endpoint, without `/v1`."""
        return f"http://127.0.0.1:{self.origin}"

    def write(self, name: str, content: object) -> Path:
        """A settings file below the home, as JSON (which is YAML too)."""
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
        return path


class Start(NamedTuple):
    """A command, without the pinning to a core, and what its environment holds beside PATH and HOME."""

    argv: list[str]
    environ: Mapping[str, str] = {}


@dataclass(frozen=True)
class Peer:
    """A gateway that is measured next to ours."""

    name: str
    manager: Literal["pip", "npm"]
    package: str
    """with extras, without version"""
    version: str
    licence: str
    about: str
    """what it does more or less than forward, and what was switched off or could not be"""
    start: Callable[[Place], Start]
    """writes the settings into the home and says how to start"""
    ready: Callable[[Place], str | None] | None = None
    """settings that only a running server takes; returns the key that clients have to send, where it makes keys"""
    pins: tuple[str, ...] = ()
    """other packages of a certain version, `name==version` or `name@version`, without which it does not work"""
    path: str = "/v1/messages"
    key: str = KEY
    headers: Mapping[str, str] = field(default_factory=dict)
    """more headers of a request; `{upstream}` stands for the endpoint's base address"""
    model: str = "m"
    """what a request has to name"""
    kinds: tuple[str, ...] = KINDS
    """loads it can do"""
    wait_s: float = 90.0
    """how long it may take to start"""

    @property
    def root(self) -> Path:
        """The environment it is, or would be, installed in."""
        return INSTALLED / self.name

    @property
    def installed(self) -> str:
        """The version that is installed; empty when none is."""
        mark = self.root / MARK
        return mark.read_text(encoding="utf-8").strip() if mark.exists() else ""


class Absent(NamedTuple):
    """A gateway that was tried, or read, and cannot be measured here."""

    name: str
    package: str
    licence: str
    reason: str


class PeerSystem(System):
    """A running peer with all processes that it started."""

    def __init__(self, peer: Peer, place: Place, process: subprocess.Popen[bytes]) -> None:
        super().__init__(peer.name, place.port, peer.path, process)
        self.key = peer.key
        self.model = peer.model
        self.headers = {name: value.format(upstream=place.upstream) for name, value in peer.headers.items()}
        self.leader = process.pid
        self.closed = False

    def cpu_s(self) -> float:
        """CPU seconds of all its processes so far."""
        ticks = 0
        for pid in tree(self.leader):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def rss_mb(self) -> float:
        """Resident memory of all its processes, MB; pages they share are counted in each."""
        pages = 0
        for pid in tree(self.leader):
            with contextlib.suppress(OSError):
                pages += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def close(self) -> None:
        """End it and what it started: asked for up to 5 s, then killed. Once is enough."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        if not self.closed:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.closed = True
        self.process.wait(5)


def tree(pid: int) -> list[int]:
    """The process and all below it; those of an ended process are missing."""
    found = [pid]
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in path.read_text(encoding="ascii").split():
                found += tree(int(child))
    return found


def start_peer(peer: Peer, core: int, folder: Path, origin: System) -> PeerSystem:
    """The peer in front of the endpoint, when it has answered its first request.

    Raises TimeoutError or Refused with the end of its log when it does not start.
    """
    home = Path(tempfile.mkdtemp(prefix=f"{peer.name}-", dir=folder))
    place = Place(peer.root, home, free_port(), origin.port)
    argv, more = peer.start(place)
    environ = {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "TMPDIR": str(home), "NO_PROXY": "*"}
    log = home / "log.txt"
    started = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [shutil.which("taskset") or "taskset", "-c", str(core), *argv],
            cwd=home,
            env={**environ, **more},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    system = PeerSystem(peer, place, process)
    try:
        await_port(place.port, peer.wait_s)
        listening = time.perf_counter()
        system.key = (peer.ready(place) if peer.ready else None) or system.key
        set_up = time.perf_counter()
        ask(system, "small")
        system.start_ms = (listening - started + time.perf_counter() - set_up) * 1000
    except (TimeoutError, OSError, Refused) as error:
        system.close()
        tail = log.read_text(encoding="utf-8", errors="replace").strip()[-400:]
        raise Refused(f"did not start: {error}; its log ends: {tail}") from error
    except BaseException:
        system.close()
        raise
    return system
