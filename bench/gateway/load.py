"""The load: connections that ask again as soon as they are answered, in one process of raw asyncio.

`python -m bench.gateway.load PORT SECONDS CONNECTIONS KIND PATH KEY [HEADERS [MODEL]]` prints one JSON object. KIND
is `small`, `body-BYTES`, `repair-BYTES`, `splice-BYTES`, `stream-EVENTS-RATE` or `flood-BLOCKS-0`; HEADERS is a JSON
object of more headers, MODEL what the body names instead of `m`. With HEADERS the figures hold the time to the first
event too: some gateways answer with a head before they have asked.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import json
import sys
import time
from collections.abc import Mapping

MESSAGE_END = b"message_stop"
"""a peer that writes events anew may put spaces between the words of the last one"""
LAST_CHUNK = b"0\r\n\r\n"


VARIANTS = 8
"""bodies of a megabyte that take turns: more than any gateway would care to remember"""


def make_body(kind: str, model: str = "m", variant: int = 0) -> bytes:
    """An agent-like request: the model first, a conversation of tool calls, then the tools.

    Another variant of `body` is another conversation, which begins with other words; of `splice` and `repair` the
    same one with other words at its end, as an agent sends it again at each turn.
    """
    name, _, size = kind.partition("-")
    stream = name in ("stream", "flood", "stall")
    begin, end = (f"{variant}: {kind} please", "go on") if name == "body" else (f"{kind} please", f"go on, {variant}")
    messages: list[object] = [{"role": "user", "content": [{"type": "text", "text": begin}]}]
    total, number = 0, 0
    while name in ("body", "repair", "splice") and total < int(size):
        number += 1
        turn = [
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Let me look at that file and run the tests. " * 4},
                    {
                        "type": "tool_use",
                        "id": f"t{number}",
                        "name": "bash",
                        "input": {"command": f"ls -la {number}"},
                    },
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": f"t{number}",
                        "content": 'def f(x):\n    return "a\\b" + x  # comment\n' * 30,
                    }
                ],
            },
        ]
        messages += turn
        total += len(json.dumps(turn))
    if name == "repair":
        messages += [{"role": "assistant", "content": [{"type": "text", "text": ""}]}]
    if name in ("body", "repair", "splice"):
        messages += [{"role": "user", "content": [{"type": "text", "text": end}]}]
    tool: dict[str, object] = {
        "name": "bash",
        "description": "Runs a command.",
        "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}},
    }
    if name == "repair":
        tool["eager_input_streaming"] = True
    limit = 100_000 if name == "splice" else 1000  # above the model's own: one value of the body is replaced
    body = {"model": model, "max_tokens": limit, "messages": messages, "tools": [tool], "stream": stream}
    return json.dumps(body, separators=(",", ":")).encode()


def make_request(
    port: int,
    kind: str,
    path: str,
    key: str,
    headers: Mapping[str, str] | None = None,
    model: str = "m",
    variant: int = 0,
) -> bytes:
    """Head and body as an agent sends them."""
    body = make_body(kind, model, variant)
    more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\naccept: */*\r\nuser-agent: opencode/1.18.33\r\n"
        f"x-session-affinity: ses_bench\r\nanthropic-version: 2023-06-01\r\n{more}content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Load:
    """What all connections share."""

    def __init__(self, requests: list[bytes], stream: bool) -> None:
        self.requests = itertools.cycle(requests)
        self.stream = stream
        self.latencies: list[float] = []
        self.first: list[float] = []
        self.first_event: list[float] = []
        self.events = 0
        self.bytes = 0
        self.errors: list[bytes] = []
        self.stopping = False


class Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        """Send the request."""
        self.buffer = b""
        self.need = -1
        self.chunked = False
        self.silent = True
        self.started = time.perf_counter()
        self.transport.write(next(self.load.requests))

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol."""
        load = self.load
        if self.need == -1:
            self.head(data)
            return
        if load.stream:
            self.events(data)
        elif self.chunked:
            self.chunks(data)
        else:
            self.need -= len(data)
            if self.need <= 0:
                self.answered()

    def head(self, data: bytes) -> None:
        """The head of an answer, and what came with it."""
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        if not self.buffer.startswith(b"HTTP/1.1 200"):
            self.load.errors.append(self.buffer[:300])
            self.transport.abort()
            return
        self.load.first.append(time.perf_counter() - self.started)
        rest = self.buffer[end + 4 :]
        head, self.buffer = self.buffer[:end].lower(), b""
        if self.load.stream:
            self.need = 0
            self.events(rest)
            return
        at = head.find(b"content-length: ")
        self.chunked = at < 0
        if self.chunked:
            self.need = 0
            self.chunks(rest)
            return
        self.need = int(head[at + 16 :].split(b"\r", 1)[0]) - len(rest)
        if self.need <= 0:
            self.answered()

    def events(self, data: bytes) -> None:
        """Streamed content; the end is seen in the last bytes."""
        if self.silent and b"data:" in data:
            self.silent = False
            self.load.first_event.append(time.perf_counter() - self.started)
        self.load.events += data.count(b"\ndata: ")
        self.load.bytes += len(data)
        self.buffer = (self.buffer + data)[-200:]
        if self.buffer.endswith(LAST_CHUNK) and MESSAGE_END in self.buffer:
            self.answered()

    def chunks(self, data: bytes) -> None:
        """A document in chunks, as some peers send it."""
        self.buffer = (self.buffer + data)[-len(LAST_CHUNK) :]
        if self.buffer == LAST_CHUNK:
            self.answered()

    def answered(self) -> None:
        """Count it and ask again."""
        self.load.latencies.append(time.perf_counter() - self.started)
        if self.load.stopping:
            self.transport.abort()
        else:
            self.ask()

    def connection_lost(self, _: Exception | None) -> None:
        """Part of asyncio.Protocol."""
        if not self.load.stopping and not self.load.errors:
            self.load.errors.append(b"the connection was closed before the end of the answer")
        if not self.done.done():
            self.done.set_result(None)


async def main(requests: list[bytes], port: int, seconds: float, connections: int, stream: bool, peer: bool) -> None:
    """Run and print; `peer`: with the time to the first event."""
    load = Load(requests, stream)
    loop = asyncio.get_running_loop()
    gc.freeze()
    made = [await loop.create_connection(lambda: Connection(load), "127.0.0.1", port) for _ in range(connections)]
    started = time.perf_counter()
    await asyncio.sleep(seconds)
    load.stopping = True
    took = time.perf_counter() - started
    count, events, size = len(load.latencies), load.events, load.bytes
    await asyncio.wait([connection.done for _, connection in made], timeout=10)
    figures = summary(load, took, count, events, size)
    if peer:
        first = sorted(load.first_event) or [0.0]
        figures["event_p50_us"] = first[len(first) // 2] * 1e6
        figures["event_p99_us"] = first[int(len(first) * 0.99)] * 1e6
    print(json.dumps(figures))


def summary(load: Load, took: float, count: int, events: int, size: int) -> dict[str, object]:
    """Figures of the run."""
    latencies, first = sorted(load.latencies) or [0.0], sorted(load.first) or [0.0]
    return {
        "requests": len(load.latencies),
        "rps": count / took,
        "p50_us": latencies[len(latencies) // 2] * 1e6,
        "p99_us": latencies[int(len(latencies) * 0.99)] * 1e6,
        "first_p50_us": first[len(first) // 2] * 1e6,
        "first_p99_us": first[int(len(first) * 0.99)] * 1e6,
        "events": load.events,
        "events_s": events / took,
        "mb_s": size / took / 1e6,
        "errors": [error.decode("latin-1") for error in load.errors[:3]],
    }


if __name__ == "__main__":
    import uvloop

    port, seconds, connections, kind, path, key, *more = sys.argv[1:]
    headers = json.loads(more[0]) if more else None
    model = more[1] if len(more) > 1 else "m"
    times = VARIANTS if kind.startswith(("body", "repair", "splice")) else 1
    asked = [make_request(int(port), kind, path, key, headers, model, variant) for variant in range(times)]
    stream = kind.startswith(("stream", "flood"))
    uvloop.run(main(asked, int(port), float(seconds), int(connections), stream, bool(more)))
