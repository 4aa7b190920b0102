"""What a gateway is doing this second, in a small private file that `moor top` reads.

A file and not a row: it changes every second while calls run, is of use for a moment, and must not wait for anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING, Final

import msgspec

from moor.run import proc

if TYPE_CHECKING:
    from moor.gateway.server import Gateway
    from moor.store.home import Home

EVERY_S: Final = 1.0


class Running(msgspec.Struct, frozen=True):
    """One call under way."""

    session: str
    agent: str
    model: str
    subagent: str
    """the agent's own name of it; empty for the main agent"""
    seconds: float
    output: int
    """tokens so far, as far as the stream tells"""
    attempts: int
    waiting: bool
    """nothing of an answer yet"""


class CapUse(msgspec.Struct, frozen=True):
    """One cap, as this gateway knows it."""

    name: str
    unit: str
    used: int
    limit: int


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """One gateway at one moment."""

    pid: int
    start: float
    at: float
    """seconds since the epoch"""
    running: tuple[Running, ...] = ()
    caps: tuple[CapUse, ...] = ()
    resting: tuple[str, ...] = ()
    """models that are left alone now, `UPSTREAM/MODEL`"""


class LiveFile:
    """Writes the file while something happens; `run` until cancelled, then the file is gone."""

    def __init__(self, home: Home, gateway: Gateway) -> None:
        self._gateway = gateway
        self._pid = os.getpid()
        self._start = proc.start_time(self._pid) or 0.0
        self._path = home.folder(home.root / "live") / f"{self._pid}.json"
        self._told: tuple[object, ...] = ()

    async def run(self) -> None:
        """Once a second."""
        try:
            while True:
                self._tell()
                await asyncio.sleep(EVERY_S)
        finally:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def _tell(self) -> None:
        live = self._gateway.live(self._pid, self._start)
        news = (live.running, live.caps, live.resting)
        if news == self._told:
            return
        self._told = news
        temporary = self._path.with_suffix(".new")
        with contextlib.suppress(OSError):  # a full disk must not end a call
            fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with open(fd, "wb") as file:  # noqa: PTH123
                file.write(msgspec.json.encode(live))
            temporary.replace(self._path)


def read_live(home: Home) -> list[Live]:
    """Of all gateways that run; files of dead ones are removed on the way. BLOCKS."""
    found: list[Live] = []
    for path in sorted((home.root / "live").glob("*.json")):
        with contextlib.suppress(OSError, msgspec.DecodeError):
            live = msgspec.json.decode(path.read_bytes(), type=Live)
            if proc.alive(live.pid, live.start):
                found.append(live)
            else:
                path.unlink()
    return found
