"""Whether anything grows: ten thousand streams, a third dropped, a third read slowly, a third read to the end.

`python -m bench.gateway.soak [--streams N]`, all governance on; each tenth stream is one in whose middle the upstream
stalls. Prints memory, descriptors, threads and tasks as it goes, writes bench/results/soak.json, and ends with 1 when
memory grows over the second half, descriptors or tasks do not come back to where they were, or a call has no row.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import platform
import socket
import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench.gateway import systems
from bench.gateway.load import make_request
from bench.gateway.systems import KEY, System

RESULTS = Path(__file__).resolve().parents[2] / "bench" / "results" / "soak.json"
AT_ONCE = 48
SAMPLES = 10
WARM = 300
"""streams before the first sample: caches, pools and the heap are then as large as they get"""
QUIET_S = 2.0
SPREAD = 8
"""kept connections to the upstream, of which there are as many as calls ran at once, come and go"""
MAX_SLOPE = 0.5
"""MB a thousand streams; a leak of one small object a stream would be more"""
STALL = "stall-10-400"
KINDS = {"dropped": "flood-40-0", "slow": "stream-5-100", "normal": "stream-5-200"}
WAYS = tuple(KINDS)


class Sample(NamedTuple):
    """What the process holds at one moment, with nothing under way."""

    streams: int
    rss_mb: float
    descriptors: int
    threads: int
    tasks: int


def sample(moor: System, counter: Path, streams: int) -> Sample:
    """Look now."""
    assert moor.process is not None
    place = Path(f"/proc/{moor.process.pid}")
    status = dict(line.split(":", 1) for line in (place / "status").read_text(encoding="ascii").splitlines())
    descriptors = sum(1 for _ in (place / "fd").iterdir())
    return Sample(streams, moor.rss_mb(), descriptors, int(status["Threads"]), int(counter.read_text() or 0))


async def one(system: System, number: int) -> str:
    """One stream; how it ended, as the client saw it."""
    way = WAYS[number % 3]
    kind = STALL if number % 10 == 0 else KINDS[way]
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", system.port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=4096)
    writer.write(make_request(system.port, kind, system.path, KEY))
    ended = way
    try:
        if way == "dropped":
            await reader.read(512)
        else:
            await _read(reader, 64 if way == "slow" else 4096, 0.005 if way == "slow" else 0.0)
    except (ConnectionError, TimeoutError) as error:
        ended = f"{way}: {type(error).__name__}"
    writer.transport.abort()
    return ended


async def _read(reader: asyncio.StreamReader, size: int, pause_s: float) -> None:
    """To the last event. Raises TimeoutError, ConnectionError."""
    tail = b""
    while b"message_stop" not in tail:
        data = await asyncio.wait_for(reader.read(size), 10)
        if not data:
            raise ConnectionError("closed before the end")
        tail = (tail + data)[-200:]
        if pause_s:
            await asyncio.sleep(pause_s)


async def batch(system: System, first: int, count: int) -> dict[str, int]:
    """So many streams, some of them at once; how many ended how."""
    gate = asyncio.Semaphore(AT_ONCE)
    ends: dict[str, int] = {}

    async def guarded(number: int) -> None:
        async with gate:
            end = await one(system, number)
            ends[end] = ends.get(end, 0) + 1

    await asyncio.gather(*(guarded(first + number) for number in range(count)))
    return ends


async def measure(system: System, counter: Path, streams: int) -> tuple[list[Sample], dict[str, int]]:
    """A sample after the warm-up, and after each tenth of the streams."""
    ends = await batch(system, 0, WARM)
    await asyncio.sleep(QUIET_S)
    taken = [sample(system, counter, 0)]
    each = max(1, streams // SAMPLES)
    for part in range(SAMPLES):
        for end, count in (await batch(system, WARM + part * each, each)).items():
            ends[end] = ends.get(end, 0) + count
        await asyncio.sleep(QUIET_S)
        taken.append(sample(system, counter, (part + 1) * each))
        now = taken[-1]
        print(
            f"{now.streams:7} streams: {now.rss_mb:6.1f} MB, {now.descriptors} descriptors, {now.threads} threads, "
            f"{now.tasks} tasks",
            flush=True,
        )
    return taken, ends


def rows_of(folder: Path) -> dict[str, int]:
    """Calls in the ledger by outcome."""
    [path] = folder.glob("moor-*/moor.db")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT outcome, SUM(calls) FROM call_groups GROUP BY outcome").fetchall())


def main() -> int:
    """Run, print, write; 1 when something grows or is missing."""
    parser = argparse.ArgumentParser(prog="python -m bench.gateway.soak")
    parser.add_argument("--streams", type=int, default=10_000)
    args = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="moor-bench-") as name:
        folder = Path(name)
        counter = folder / "tasks"
        origin = systems.start_origin(0, None)
        moor = systems.start_moor(1, folder, origin, None, counted=counter)
        try:
            taken, ends = asyncio.run(measure(moor, counter, args.streams))
        finally:
            moor.close()
            origin.close()
        rows = rows_of(folder)
    half = taken[len(taken) // 2 :]
    slope = statistics.linear_regression([one.streams / 1000 for one in half], [one.rss_mb for one in half]).slope
    first, last = taken[0], taken[-1]
    problems = [
        (slope > MAX_SLOPE, f"memory grows by {slope:.2f} MB a thousand streams"),
        (last.descriptors > first.descriptors + SPREAD, f"descriptors: {first.descriptors}, then {last.descriptors}"),
        (last.tasks > first.tasks, f"tasks: {first.tasks}, then {last.tasks}"),
        (sum(rows.values()) != sum(ends.values()), f"{sum(ends.values())} streams, {sum(rows.values())} rows"),
        (any(":" in end for end in ends), f"ends that should not be: {ends}"),
    ]
    told = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "seconds": round(time.monotonic() - started),
        "streams": sum(ends.values()),
        "at_once": AT_ONCE,
        "ends": ends,
        "rows": rows,
        "slope_mb_per_1000": round(slope, 3),
        "samples": [one._asdict() for one in taken],
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(f"slope {slope:+.3f} MB a thousand streams (<={MAX_SLOPE}); ends {ends}; rows {rows}")
    for wrong, words in problems:
        if wrong:
            print(f"wrong: {words}")
    return int(any(wrong for wrong, _ in problems))


if __name__ == "__main__":
    sys.exit(main())
