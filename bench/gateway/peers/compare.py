"""Peers one at a time next to nginx and moor, in rounds; writes bench/results/peers.json after each one.

Only one peer is in memory at a time. nginx and moor stay up and idle on the same core while another one is under
load. A peer that fails a run keeps its other figures; what it said first is written down.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.gateway import systems
from bench.gateway.cases import FIGURES
from bench.gateway.measure import ROOT
from bench.gateway.peers.ask import Refused, ask
from bench.gateway.peers.base import Peer
from bench.gateway.peers.trial import Trial
from bench.gateway.systems import System

RESULTS = ROOT / "bench" / "results" / "peers.json"


def compare(peers: list[Peer], *, rounds: int, seconds: float) -> int:
    """Measure the installed ones among the peers; 1 when none is installed."""
    found: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    chosen = [peer for peer in peers if peer.installed]
    for peer in peers:
        if peer not in chosen:
            print(f"{peer.name}: not installed, type: python -m bench.gateway.peers install {peer.name}")
    with _others() as (origin, others, folder):
        idle = {one.name: one.rss_mb() for one in others}  # before the load of the first peer's rounds
        for peer in chosen:
            told: dict[str, Any] = {"version": peer.installed, "rounds": rounds, "seconds": seconds}
            told |= {"python": platform.python_version(), "cores": os.cpu_count(), "errors": {}, "systems": {}}
            told |= try_peer(peer, origin, others, folder, idle, rounds, seconds)
            found[peer.name] = told | {"load_average": os.getloadavg()}
            RESULTS.parent.mkdir(exist_ok=True)
            RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            tell(peer.name, found[peer.name])
    return 0 if chosen else 1


@contextlib.contextmanager
def _others() -> Iterator[tuple[System, list[System], Path]]:
    """The endpoint, nginx (where installed) and moor, and a folder for the run."""
    with tempfile.TemporaryDirectory(prefix="moor-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        made = [systems.start_origin(0, None)]
        try:
            started = time.perf_counter()
            nginx = systems.start_nginx(1, folder, made[0], None)
            if nginx is not None:
                nginx.start_ms = (time.perf_counter() - started) * 1000
                made.append(nginx)
            made.append(systems.start_moor(1, folder, made[0], None))
            yield made[0], made[1:], folder
        finally:
            for system in reversed(made):
                system.close()


def try_peer(
    peer: Peer,
    origin: System,
    others: list[System],
    folder: Path,
    idle: Mapping[str, float],
    rounds: int,
    seconds: float,
) -> dict[str, Any]:
    """`systems`: figures of the peer and, from the same rounds, of the others; `errors`: by the run that it failed.

    `idle`: MB of the others before any load.
    """
    try:
        trial = Trial(peer, origin, others, folder)
    except Refused as error:
        return {"errors": {"start": _brief(str(error), folder)}}
    try:
        start_ms, idle = trial.system.start_ms, {**idle, peer.name: trial.system.rss_mb()}
        with contextlib.suppress(Refused):
            ask(trial.system, "stream-20-100")  # the first stream of a process is slower than the others
        errors = {}
        try:
            for _ in range(rounds):
                trial.round(seconds)
        except Refused as error:
            errors["start"] = _brief(str(error), folder)
        told = {}
        for one in (*others, trial.system):
            is_peer = one is trial.system
            memory = {"idle_mb": idle[one.name], "after_mb": trial.after_mb if is_peer else one.rss_mb()}
            told[one.name] = {"start_ms": start_ms if is_peer else one.start_ms, **memory, **trial.medians(one.name)}
    finally:
        trial.system.close()
    errors |= {f"{kind} x {count}": _brief(error, folder) for (kind, count), error in trial.errors.items()}
    return {"systems": told, "errors": errors}


def tell(name: str, told: Mapping[str, Any]) -> None:
    """A line a figure: nginx, moor, the peer."""
    print(f"\n{name} {told['version']}")
    by_system: Mapping[str, Mapping[str, float]] = told["systems"]
    titles = {"start_ms": "start ms", "idle_mb": "idle MB", "after_mb": "after the load MB"}
    titles |= {key: figure.title for key, figure in FIGURES.items()}
    for key, title in titles.items():
        shown = "".join(f"{one}{figures[key]:>12.1f}   " for one, figures in by_system.items() if key in figures)
        if shown:
            print(f"  {title:44}{shown.rstrip()}")
    for run, error in told["errors"].items():
        print(f"  failed {run}: {error}", flush=True)


def _brief(error: str, folder: Path) -> str:
    """One line without the folders of this run and this machine."""
    for place, word in ((folder, "HOME"), (ROOT, "."), (Path.home(), "~")):
        error = error.replace(str(place), word)
    return " ".join(error.split())[:400]
