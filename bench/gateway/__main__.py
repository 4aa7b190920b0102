"""Interleaved rounds of all cases; prints medians and ratios to nginx, and writes bench/results/gateway.json.

    python -m bench.gateway [--rounds N] [--seconds S] [--case NAME …] [--plain | --tls]
    python -m bench.gateway --case slope [--streams N]

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
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from bench.gateway import slope, systems
from bench.gateway.peers import start_litellm
from bench.gateway.systems import System

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results" / "gateway.json"


class Case(NamedTuple):
    """What the load does, and the aims of the design's section 7 (moor over nginx)."""

    name: str
    kind: str
    connections: int
    figure: str
    """what is compared"""
    aim_plain: float
    aim_tls: float
    larger_is_better: bool = False


CASES = (
    Case("small, CPU per request", "small", 32, "cpu_us", 2.0, 3.0),
    Case("small, requests/s", "small", 32, "rps", 0.5, 0.5, True),
    Case("small, one connection, p50", "small", 1, "p50_us", 1.5, 1.5),
    Case("32 streams, CPU per event", "stream-100-100", 32, "cpu_event_us", 1.5, 2.5),
    Case("32 streams at once, first byte p99", "stream-5-50", 32, "first_p99_us", 2.0, 2.0),
    Case("flood, MB/s", "flood-200-0", 1, "mb_s", 1.0, 1.0, True),
    Case("1 MB, looked through, CPU", "body-1000000", 4, "cpu_us", 6.0, 6.0),
    Case("1 MB, one value spliced, CPU", "splice-1000000", 4, "cpu_us", 1.2, 1.2),
    Case("1 MB, repaired, CPU", "repair-1000000", 4, "cpu_us", 6.0, 6.0),
)


def main() -> int:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--case", action="append", default=[], help="part of a case's name")
    parser.add_argument("--plain", action="store_true", help="plain upstream only")
    parser.add_argument("--tls", action="store_true", help="TLS upstream only")
    parser.add_argument("--streams", type=int, default=10_000, help="for --case slope")
    args = parser.parse_args()
    if (os.cpu_count() or 1) < 2 or shutil.which("taskset") is None:
        sys.exit("this benchmark needs two cores and taskset")
    cases = [case for case in CASES if not args.case or any(part in case.name for part in args.case)]
    if args.case == ["slope"]:
        return slope.main(args.streams)
    found: dict[str, Any] = {}
    for secure in (False, True):
        if (args.plain and secure) or (args.tls and not secure):
            continue
        found["tls" if secure else "plain"] = run_all(cases, secure=secure, rounds=args.rounds, seconds=args.seconds)
    report(cases, found)
    RESULTS.parent.mkdir(exist_ok=True)
    about = {"python": platform.python_version(), "load_average": os.getloadavg(), "cases": found}
    RESULTS.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return 0


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
            peer = start_litellm(1, folder, origin) if tls is None else None
            made += [peer] if peer is not None else []
            made.append(systems.start_moor(1, folder, origin, tls))
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
    argv = ["taskset", "-c", "0", sys.executable, "-m", "bench.gateway.load", str(system.port), str(seconds)]
    argv += [str(connections), kind, system.path, system.key]
    before = system.cpu_s()
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    used = system.cpu_s() - before
    figures: dict[str, Any] = json.loads(done.stdout)
    if figures["errors"]:
        if system.name in ("nginx", "moor"):
            sys.exit(f"{system.name} answered {kind} with: {figures['errors'][0]}")
        figures = dict.fromkeys(figures, 0) | {"errors": figures["errors"]}
    figures["cpu_us"] = used / max(1, figures["requests"]) * 1e6
    figures["cpu_event_us"] = used / max(1, figures["events"]) * 1e6
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
            aim = case.aim_tls if secure == "tls" else case.aim_plain
            met = ratio >= aim if case.larger_is_better else ratio <= aim
            sign = ">=" if case.larger_is_better else "<="
            direct = f"{row['origin']:.1f}" if "origin" in row else "-"
            direct = "-" if case.figure.startswith("cpu") else direct
            shown = f"{nginx:.1f}" if nginx else "-"
            mark = "" if met else "  missed"
            mark += f"  (litellm {row['litellm']:.1f})" if "litellm" in row else ""
            print(f"{case.name:36}{direct:>10}{shown:>10}{moor:>10.1f}{ratio:>8.2f}{sign + str(aim):>8}{mark}")
        memory = rows["moor's memory, MB"]
        print(f"moor's memory: {memory['idle']:.0f} MB idle (<=35), {memory['after']:.0f} MB after the load (<=60)")
        print(f"moor's start to its first answer: {rows['start to first answer, ms']['moor']:.0f} ms (<=120)")


if __name__ == "__main__":
    sys.exit(main())
