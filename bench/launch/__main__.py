"""Interleaved rounds of all cases; prints medians and ratios, and writes bench/results/launch.json.

    python -m bench.launch [--rounds N]

The warm launch is timed until the agent has run: the stub agent is `/bin/sh` that ends at once, so its own
start (about 1 ms) is part of the figure. Between two launches the gateway of the first is waited for.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.launch.cases import Case, World, cases, make_world, modules_of_help

RESULTS = Path(__file__).resolve().parents[1] / "results" / "launch.json"
HELP_MODULES_AIM = 250


def timed(case: Case, world: World) -> float:
    """Milliseconds from the start to the end of one run; an unexpected exit code ends the benchmark."""
    began = time.perf_counter()
    done = subprocess.run(
        case.argv, env=world.environ, cwd=world.cwd, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    took = (time.perf_counter() - began) * 1000
    if done.returncode:
        sys.exit(f"{case.name} ended with {done.returncode}: {done.stderr.decode()}")
    return took


def wait_for_quiet(world: World) -> None:
    """Until no process of a finished launch is left (they carry MOOR_SESSION), 5 s at the most."""
    mark = f"MOOR_HOME={world.environ['MOOR_HOME']}".encode()
    end = time.monotonic() + 5
    while time.monotonic() < end and any(carries(pid, mark) for pid in pids()):
        time.sleep(0.02)


def pids() -> list[str]:
    """Every process, by its folder's name."""
    return [entry.name for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def carries(pid: str, mark: bytes) -> bool:
    """Whether a process has that in its environment or on its command line."""
    folder = Path("/proc") / pid
    try:
        return (
            mark in (folder / "environ").read_bytes() or mark.partition(b"=")[2] in (folder / "cmdline").read_bytes()
        )
    except OSError:
        return False


def measure(world: World, rounds: int) -> dict[str, list[float]]:
    """Milliseconds per case, taken in turns."""
    found: dict[str, list[float]] = {case.name: [] for case in cases()}
    for number in range(rounds + 2):
        for case in cases():
            took = timed(case, world)
            wait_for_quiet(world)
            if number >= 2:  # the first two rounds warm caches
                found[case.name].append(took)
    return found


def report(found: dict[str, list[float]], modules: int) -> dict[str, object]:
    """Print the table; return what is kept."""
    bare = statistics.median(found[cases()[0].name])
    rows = []
    print(f"{'':44}{'median ms':>10}{'ratio':>8}{'aim':>8}")
    for case in cases():
        median = statistics.median(found[case.name])
        ratio = median / bare
        mark = "" if case.aim is None or ratio <= case.aim else "  over its aim"
        print(f"{case.name:44}{median:>10.1f}{ratio:>8.2f}{f'<= {case.aim:g}' if case.aim else '':>8}{mark}")
        rows.append({"case": case.name, "median_ms": round(median, 2), "ratio": round(ratio, 2), "aim": case.aim})
    print(f"{'modules loaded by moor --help':44}{modules:>10}{'':>8}{f'<= {HELP_MODULES_AIM}':>8}")
    return {"python": platform.python_version(), "cpus": os.cpu_count(), "rows": rows, "help_modules": modules}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="what a start costs")
    parser.add_argument("--rounds", type=int, default=21)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="moor-bench-") as folder:
        world = make_world(Path(folder))
        kept = report(measure(world, args.rounds), modules_of_help(world))
        wait_for_quiet(world)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
