"""Whether memory grows with broken streams: thousands that the agent drops, reads slowly, or does not read at all.

`python -m bench.gateway --case slope [--streams N]`. Prints the resident memory a thousand streams and its slope over
the second half, when caches and pools are full.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import sys
import tempfile
from pathlib import Path

from bench.gateway import systems
from bench.gateway.load import make_request
from bench.gateway.systems import KEY, System

AT_ONCE = 48
SAMPLES = 10
STALL_S = 0.2
MAX_SLOPE = 0.5
"""MB a thousand streams; a leak of one small object a stream would be more"""
KINDS = ("flood-40-0", "stream-5-100", "flood-40-0")
"""by what the agent does: drop, read slowly, stall"""


async def one(system: System, number: int) -> None:
    """One stream that does not end well."""
    way = number % 3
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    plain.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plain, ("127.0.0.1", system.port))
    reader, writer = await asyncio.open_connection(sock=plain, limit=1024)
    writer.write(make_request(system.port, KINDS[way], system.path, KEY))
    with contextlib.suppress(ConnectionError):
        if way == 0:
            await reader.read(512)
        elif way == 1:
            while await asyncio.wait_for(reader.read(64), 5):
                await asyncio.sleep(0.005)
                if reader.at_eof() or b"message_stop" in getattr(reader, "_buffer", b""):
                    break
        else:
            await asyncio.sleep(STALL_S)
    writer.transport.abort()


async def batch(system: System, first: int, count: int) -> None:
    """So many streams, some of them at once."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def guarded(number: int) -> None:
        async with gate:
            await one(system, number)

    await asyncio.gather(*(guarded(first + number) for number in range(count)))


async def measure(system: System, streams: int) -> list[float]:
    """Resident megabytes, before the first and after each tenth of the streams."""
    taken = [system.rss_mb()]
    each = max(1, streams // SAMPLES)
    for part in range(SAMPLES):
        await batch(system, part * each, each)
        await asyncio.sleep(0.3)
        taken.append(system.rss_mb())
        print(f"{(part + 1) * each:7} streams: {taken[-1]:6.1f} MB", flush=True)
    return taken


def main(streams: int) -> int:
    """Run and print; 1 when memory grows."""
    with tempfile.TemporaryDirectory(prefix="moor-bench-") as name:
        origin = systems.start_origin(0, None)
        moor = systems.start_moor(1, Path(name), origin, None)
        try:
            taken = asyncio.run(measure(moor, streams))
        finally:
            moor.close()
            origin.close()
    half = taken[len(taken) // 2 :]
    thousands = [number * streams / SAMPLES / 1000 for number in range(len(half))]
    slope = statistics.linear_regression(thousands, half).slope
    print(f"idle {taken[0]:.1f} MB, at the end {taken[-1]:.1f} MB, slope {slope:+.2f} MB a thousand (<={MAX_SLOPE})")
    return 0 if slope <= MAX_SLOPE else 1


if __name__ == "__main__":
    sys.exit(main(10_000))
