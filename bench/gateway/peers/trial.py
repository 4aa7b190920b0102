"""One peer through all runs, in rounds with the systems it is compared with; started anew after an unfinished run."""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

from bench.gateway.cases import FIGURES
from bench.gateway.measure import run_load
from bench.gateway.peers.ask import Refused
from bench.gateway.peers.base import Peer, PeerSystem, start_peer
from bench.gateway.systems import System

Run = tuple[str, int]
"""kind of load, connections"""
RUNS = tuple(dict.fromkeys((figure.kind, figure.connections) for figure in FIGURES.values()))
CUT_OFF = ("cpu_event_us", "mb_s", "event_p50_us", "event_p99_us")
"""figures of a stream that hold without an answer that is whole"""
QUIET_S = 0.3
SETTLE_S = 20.0


class Trial:
    """Holds the running peer, the samples by system and run, and the first error of each run."""

    def __init__(self, peer: Peer, origin: System, others: list[System], folder: Path) -> None:
        """Starts the peer; raises Refused when it does not answer."""
        self.peer = peer
        self.origin = origin
        self.others = others
        self.folder = folder
        self.samples: dict[str, dict[Run, list[dict[str, float]]]] = {one.name: {} for one in others}
        self.samples[peer.name] = {}
        able = [run for run in RUNS if run[0].partition("-")[0] in peer.kinds]
        self.errors: dict[Run, str] = {run: "cannot do this" for run in RUNS if run not in able}
        self.after_mb = 0.0
        """the most that the peer held after a run"""
        self.system = start_peer(peer, 1, folder, origin)

    def round(self, seconds: float) -> None:
        """Each run that has not failed, on each system; raises Refused when the peer cannot be started again."""
        for run in RUNS:
            for one in (*self.others, self.system):
                if run not in self.errors:
                    self.measure(one, run, seconds)

    def measure(self, one: System, run: Run, seconds: float) -> None:
        """One sample, or the run's error."""
        whole = False
        try:
            figures = measure_run(one, run, seconds)
            self.samples[one.name].setdefault(run, []).append(figures)
            whole = figures["requests"] >= run[1]
        except (Refused, subprocess.SubprocessError) as error:
            self.errors[run] = str(error) if one is self.system else f"{one.name}: {error}"
            self.samples[self.peer.name].pop(run, None)
        if one is self.system:
            self.after_mb = max(self.after_mb, one.rss_mb())
            if not whole:  # it may hold on to clients that have gone: the next run is not to suffer from it
                self.system.close()
                self.system = start_peer(self.peer, 1, self.folder, self.origin)

    def medians(self, name: str) -> dict[str, float]:
        """A system's figures by their names in FIGURES; those of a failed run are missing."""
        found = {}
        for key, figure in FIGURES.items():
            taken = self.samples[name].get((figure.kind, figure.connections), [])
            if any(one["requests"] or figure.figure in CUT_OFF for one in taken):
                found[key] = statistics.median(one[figure.figure] / figure.scale for one in taken)
        return found


def measure_run(system: System, run: Run, seconds: float) -> dict[str, float]:
    """One run, once the system has done with the run before; raises Refused with the first error."""
    settle(system)
    more = [json.dumps(system.headers), system.model] if isinstance(system, PeerSystem) else ["{}"]
    figures: dict[str, Any] = run_load(system, *run, seconds, more)
    if system.process is not None and system.process.poll() is not None:
        raise Refused(f"it ended with code {system.process.returncode}")
    if figures["errors"]:
        raise Refused(figures["errors"][0])
    if not figures["events"] and figures["requests"] < run[1]:
        raise Refused(f"{figures['requests']} of {run[1]} clients were answered within {seconds + 10:.0f} s")
    return figures


def settle(system: System) -> None:
    """Wait until the system uses no CPU: it may work on for clients that have gone."""
    until = time.monotonic() + SETTLE_S
    before = system.cpu_s()
    while time.monotonic() < until:
        time.sleep(QUIET_S)
        now = system.cpu_s()
        if now - before <= 0.1 * QUIET_S:
            return
        before = now
