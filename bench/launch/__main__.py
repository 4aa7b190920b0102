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
from typing import NamedTuple

from bench.launch.cases import Case, World, cases, make_world, modules_of_help
from bench.launch.installed import installed

RESULTS = Path(__file__).resolve().parents[1] / "results" / "launch.json"
HELP_MODULES_AIM = 250


class Took(NamedTuple):
    """Milliseconds of one run."""

    wall: float
    cpu: float
    """user and system time of the process itself and what it waited for; the gateway it left behind is not in it"""


def timed(case: Case, world: World) -> Took:
    """One run from start to end; an unexpected exit code ends the benchmark."""
    with tempfile.TemporaryFile() as words:
        began = time.perf_counter()
        process = subprocess.Popen(
            case.argv, env=world.environ, cwd=world.cwd, stdin=subprocess.DEVNULL, stdout=words, stderr=words
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = (time.perf_counter() - began) * 1000
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            words.seek(0)
            sys.exit(f"{case.name} ended with {process.returncode}: {words.read().decode()}")
    return Took(wall, (used.ru_utime + used.ru_stime) * 1000)


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


def measure(lines: list[Case], world: World, rounds: int) -> dict[str, list[Took]]:
    """Milliseconds per case, taken in turns."""
    found: dict[str, list[Took]] = {case.name: [] for case in lines}
    for number in range(rounds + 2):
        for case in lines:
            took = timed(case, world)
            wait_for_quiet(world)
            if number >= 2:  # the first two rounds warm caches
                found[case.name].append(took)
    return found


def report(lines: list[Case], found: dict[str, list[Took]], modules: int) -> dict[str, object]:
    """Print the table; return what is kept."""
    bare = middle(found[lines[0].name])
    rows = []
    print(f"{'':44}{'wall ms':>9}{'ratio':>8}{'aim':>8}{'cpu ms':>9}{'ratio':>8}")
    for case in lines:
        took = middle(found[case.name])
        ratio, cpu_ratio = took.wall / bare.wall, took.cpu / bare.cpu
        mark = "" if case.aim is None or ratio <= case.aim else "  over its aim"
        aim = f"<= {case.aim:g}" if case.aim else ""
        print(f"{case.name:44}{took.wall:>9.1f}{ratio:>8.2f}{aim:>8}{took.cpu:>9.1f}{cpu_ratio:>8.2f}{mark}")
        rows.append(
            {
                "case": case.name,
                "wall_ms": round(took.wall, 2),
                "cpu_ms": round(took.cpu, 2),
                "wall_ratio": round(ratio, 2),
                "cpu_ratio": round(cpu_ratio, 2),
                "aim": case.aim,
            }
        )
    print(f"{'modules loaded by moor --help':44}{modules:>9}{'':>8}{f'<= {HELP_MODULES_AIM}':>8}")
    return {"python": platform.python_version(), "cpus": os.cpu_count(), "rows": rows, "help_modules": modules}


def middle(runs: list[Took]) -> Took:
    """Medians."""
    return Took(statistics.median(run.wall for run in runs), statistics.median(run.cpu for run in runs))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="what a start costs")
    parser.add_argument("--rounds", type=int, default=21)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="moor-bench-") as folder:
        world = make_world(Path(folder))
        programs = installed()
        lines = cases(programs)
        kept = report(lines, measure(lines, world, args.rounds), modules_of_help(world, programs))
        wait_for_quiet(world)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
