"""Interleaved rounds of all cases; prints medians and ratios to nginx, and writes bench/results/gateway.json.

    python -m bench.gateway [--rounds N] [--seconds S] [--case NAME …] [--plain | --tls]
    python -m bench.gateway --peers NAME,NAME|all [--rounds N] [--seconds S]

With `--peers` other gateways are measured instead, one at a time next to nginx and moor, plain; they are installed by
`python -m bench.gateway.peers install`. The page bench/RESULTS.md is written by `python -m bench.gateway.results`.

The endpoint and the load share the first core, the system under test has the second one to itself; CPU is what the
kernel charged the system's processes. Ratios inside one run are what counts: absolute times move with the machine.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import timeit
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.gateway import systems
from bench.gateway.cases import CASES, MAX_AFTER_MB, MAX_IDLE_MB, MAX_START_MS, Case
from bench.gateway.measure import run_load
from bench.gateway.peers.compare import compare
from bench.gateway.peers.known import PEERS, named
from bench.gateway.systems import System
from moor.compiled import CompiledFinder

ROOT = Path(__file__).resolve().parents[2]
STARTS = 5
"""of moor, one after the other: its start is the median"""
RESULTS = ROOT / "bench" / "results" / "gateway.json"


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--case", action="append", default=[], help="part of a case's name")
    parser.add_argument("--plain", action="store_true", help="plain upstream only")
    parser.add_argument("--tls", action="store_true", help="TLS upstream only")
    parser.add_argument("--peers", default="", help="all, or names: measure these gateways instead")
    args = parser.parse_args()
    if (os.cpu_count() or 1) < 2 or shutil.which("taskset") is None:
        sys.exit("this benchmark needs two cores and taskset")
    if args.peers:
        try:
            peers = named(args.peers)
        except KeyError as error:
            parser.error(f"not a known peer: {error}; known are {', '.join(PEERS)}")
        return compare(peers, rounds=args.rounds, seconds=args.seconds)
    cases = [case for case in CASES if not args.case or any(part in case.name for part in args.case)]
    found: dict[str, Any] = {}
    for secure in (False, True):
        if (args.plain and secure) or (args.tls and not secure):
            continue
        found["tls" if secure else "plain"] = run_all(cases, secure=secure, rounds=args.rounds, seconds=args.seconds)
    report(cases, found)
    RESULTS.parent.mkdir(exist_ok=True)
    compiled = any(isinstance(finder, CompiledFinder) for finder in sys.meta_path)
    about: dict[str, Any] = {"python": platform.python_version(), "cores": os.cpu_count(), "compiled": compiled}
    about["additions_s"] = min(
        timeit.repeat("for n in range(10_000_000): total += n", "total = 0", repeat=3, number=1)
    )
    about |= {"load_average": os.getloadavg(), "rounds": args.rounds, "seconds": args.seconds, "cases": found}
    RESULTS.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return 0


def _start_ms(folder: Path, origin: System, tls: tuple[Path, Path] | None) -> float:
    folder.mkdir()
    moor = systems.start_moor(1, folder, origin, tls)
    moor.close()
    return moor.start_ms


@contextlib.contextmanager
def running(*, secure: bool) -> Iterator[list[System]]:
    """The endpoint and the systems in front of it; the first one is the endpoint itself."""
    with tempfile.TemporaryDirectory(prefix="moor-bench-") as name:
        folder = Path(name)
        tls = systems.make_certificate(folder) if secure else None
        origin = systems.start_origin(0, tls)
        made = [origin]
        try:
            nginx = systems.start_nginx(1, folder, origin, tls)
            made += [nginx] if nginx is not None else []
            starts = [_start_ms(folder / f"start-{number}", origin, tls) for number in range(STARTS - 1)]
            moor = systems.start_moor(1, folder, origin, tls)
            moor.start_ms = statistics.median([*starts, moor.start_ms])
            made.append(moor)
            yield made
        finally:
            for system in reversed(made):
                system.close()


def run_all(cases: list[Case], *, secure: bool, rounds: int, seconds: float) -> dict[str, dict[str, Any]]:
    """Medians by case and system, and moor's memory at the end."""
    found: dict[str, dict[str, Any]] = {}
    with running(secure=secure) as made:
        under_test = [system for system in made if not (secure and system.name == "origin")]
        idle = made[-1].rss_mb()
        runs = {(case.kind, case.connections) for case in cases}
        samples: dict[tuple[str, int], dict[str, list[dict[str, float]]]] = {run: {} for run in runs}
        for _ in range(rounds):
            for run in sorted(runs):
                for system in under_test:
                    samples[run].setdefault(system.name, []).append(measure(system, run[0], run[1], seconds))
        for case in cases:
            by_system = samples[(case.kind, case.connections)]
            found[case.name] = {
                name: statistics.median(sample[case.figure] for sample in taken) for name, taken in by_system.items()
            }
        found["moor's memory, MB"] = {"idle": idle, "after": made[-1].rss_mb()}
        found["start to first answer, ms"] = {"moor": made[-1].start_ms}
    return found


def measure(system: System, kind: str, connections: int, seconds: float) -> dict[str, float]:
    """One run of the load against one system."""
    figures: dict[str, Any] = run_load(system, kind, connections, seconds)
    if figures["errors"]:
        if system.name in ("nginx", "moor"):
            sys.exit(f"{system.name} answered {kind} with: {figures['errors'][0]}")
        figures = dict.fromkeys(figures, 0) | {"errors": figures["errors"]}
    return figures


def report(cases: list[Case], found: dict[str, Any]) -> None:
    """The table."""
    for secure, rows in found.items():
        print(f"\nupstream {secure}")
        print(f"{'':36}{'direct':>10}{'nginx':>10}{'moor':>10}{'ratio':>8}{'aim':>8}")
        for case in cases:
            row = rows[case.name]
            nginx, moor = row.get("nginx"), row["moor"]
            ratio = moor / nginx if nginx else float("nan")
            direct = f"{row['origin']:.1f}" if "origin" in row else "-"
            direct = "-" if case.figure.startswith("cpu") else direct
            shown = f"{nginx:.1f}" if nginx else "-"
            mark = "" if case.met(ratio, secure) else "  missed"
            print(f"{case.name:36}{direct:>10}{shown:>10}{moor:>10.1f}{ratio:>8.2f}{case.aim(secure):>8}{mark}")
        memory = rows["moor's memory, MB"]
        print(
            f"moor's memory: {memory['idle']:.0f} MB idle (<={MAX_IDLE_MB}), {memory['after']:.0f} MB after the load "
            f"(<={MAX_AFTER_MB})"
        )
        print(
            f"moor's start to its first answer: {rows['start to first answer, ms']['moor']:.0f} ms (<={MAX_START_MS})"
        )


if __name__ == "__main__":
    sys.exit(main())
