"""A scripted model endpoint that costs little: raw asyncio, answers chosen by the request's path and size.

`python -m bench.gateway.origin PORT [CERT KEY]`. Whoever asks for a stream gets EVENTS events at RATE a second
(`x-bench: events=100,rate=100`), else a small JSON document. Speaks Anthropic Messages.
"""

from __future__ import annotations

import asyncio
import gc
import re
import ssl
import sys

SMALL = (
    b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],'
    b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":5,'
    b'"cache_creation_input_tokens":0,"cache_read_input_tokens":0}}'
)
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(SMALL), SMALL)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
SPEC = re.compile(rb"(stream|flood)-(\d+)-(\d+)")
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def event(kind: bytes, data: bytes) -> bytes:
    """One event as one chunk."""
    body = b'event: %s\ndata: {"type":"%s"%s}\n\n' % (kind, kind, data)
    return b"%x\r\n%s\r\n" % (len(body), body)


START = event(b"message_start", b',"message":{"usage":{"input_tokens":10,"output_tokens":1}}')
DELTA = event(b"content_block_delta", b',"index":0,"delta":{"type":"text_delta","text":"' + b"word " * 4 + b'"}')
END = event(b"message_delta", b',"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":99}') + event(
    b"message_stop", b""
)


class Origin(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        self.transport = transport
        self.head = b""
        self.left = 0
        self.spec = b""
        self.paused = asyncio.Event()
        self.paused.set()

    def pause_writing(self) -> None:
        """Part of asyncio.Protocol."""
        self.paused.clear()

    def resume_writing(self) -> None:
        """Part of asyncio.Protocol."""
        self.paused.set()

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol."""
        if self.left:
            self.left -= len(data)
            if self.left <= 0:
                self.answer()
            return
        data = self.head + data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            self.head = data
            return
        self.head = b""
        found = LENGTH.search(data, 0, end)
        spec = SPEC.search(data, 0, end + 300)
        self.spec = spec.group() if spec else b""
        self.left = (int(found[1]) if found else 0) - (len(data) - end - 4)
        if self.left <= 0:
            self.answer()

    def answer(self) -> None:
        """Answer the request that is read."""
        self.left = 0
        if not self.spec:
            self.transport.write(ANSWER)
            return
        kind, events, rate = self.spec.split(b"-")
        task = asyncio.get_running_loop().create_task(self.stream(kind, int(events), int(rate)))
        task.add_done_callback(lambda done: done.exception())

    async def stream(self, kind: bytes, events: int, rate: int) -> None:
        """Events at a rate, or a flood of blocks."""
        write = self.transport.write
        write(STREAM_HEAD + START)
        if kind == b"flood":
            block = DELTA * 400
            for _ in range(events):
                await self.paused.wait()
                write(block)
                await asyncio.sleep(0)
        else:
            pause = 1 / rate
            for _ in range(events):
                await asyncio.sleep(pause)
                write(DELTA)
        write(END + b"0\r\n\r\n")


async def main(port: int, tls: ssl.SSLContext | None) -> None:
    """Serve until killed."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Origin, "127.0.0.1", port, ssl=tls, backlog=4096)
    gc.freeze()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    context = None
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    uvloop.run(main(int(sys.argv[1]), context))
