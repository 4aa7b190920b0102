"""A scripted model endpoint that costs little: raw asyncio, answers chosen by the request's path and size.

`python -m bench.gateway.origin PORT [CERT KEY]`. Whoever asks for a stream gets EVENTS events at RATE a second
(its first message says `stream-100-100`), else a small JSON document. Speaks Anthropic Messages; to a peer that
translates, OpenAI's Chat Completions too.
"""

from __future__ import annotations

import asyncio
import gc
import re
import ssl
import sys
from typing import NamedTuple

STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
SPEC = re.compile(rb"(stream|flood|stall)-(\d+)-(\d+)")
SEARCHED = 16 * 1024
"""a longer body is not searched for what its sender wants to be streamed"""
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Dialect(NamedTuple):
    """What is written: a small document with its head, and the parts of a stream as chunks."""

    small: bytes
    start: bytes
    delta: bytes
    end: bytes


def document(body: bytes) -> bytes:
    """A JSON document with its head."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body)


def chunk(body: bytes) -> bytes:
    """Its part of a chunked stream."""
    return b"%x\r\n%s\r\n" % (len(body), body)


def event(kind: bytes, data: bytes) -> bytes:
    """One event of Anthropic Messages as one chunk."""
    return chunk(b'event: %s\ndata: {"type":"%s"%s}\n\n' % (kind, kind, data))


def piece(choice: bytes, usage: bytes = b"null") -> bytes:
    """One event of Chat Completions as one chunk."""
    head = b'{"id":"c1","object":"chat.completion.chunk","created":1,"model":"m","choices":['
    return chunk(b'data: %s{"index":0,%s}],"usage":%s}\n\n' % (head, choice, usage))


MESSAGES = Dialect(
    document(
        b'{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"hi"}],'
        b'"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":5,'
        b'"cache_creation_input_tokens":0,"cache_read_input_tokens":0}}'
    ),
    event(
        b"message_start",
        b',"message":{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":null,'
        b'"stop_sequence":null,"usage":{"input_tokens":10,"output_tokens":1}}',
    )
    + event(b"content_block_start", b',"index":0,"content_block":{"type":"text","text":""}'),
    event(b"content_block_delta", b',"index":0,"delta":{"type":"text_delta","text":"' + b"word " * 4 + b'"}'),
    event(b"content_block_stop", b',"index":0')
    + event(b"message_delta", b',"delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":99}')
    + event(b"message_stop", b""),
)
USAGE = b'{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}'
CHAT = Dialect(
    document(
        b'{"id":"c1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":'
        b'"assistant","content":"hi"},"finish_reason":"stop"}],"usage":' + USAGE + b"}"
    ),
    piece(b'"delta":{"role":"assistant","content":""},"finish_reason":null'),
    piece(b'"delta":{"content":"' + b"word " * 4 + b'"},"finish_reason":null'),
    piece(b'"delta":{},"finish_reason":"stop"', USAGE) + chunk(b"data: [DONE]\n\n"),
)


class Origin(asyncio.Protocol):
    """One connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        self.transport = transport
        self.head = b""
        self.left = 0
        self.small = b""
        self.dialect = MESSAGES
        self.paused = asyncio.Event()
        self.paused.set()

    def pause_writing(self) -> None:
        """Part of asyncio.Protocol."""
        self.paused.clear()

    def resume_writing(self) -> None:
        """Part of asyncio.Protocol."""
        self.paused.set()

    def connection_lost(self, _: Exception | None) -> None:
        """Part of asyncio.Protocol: a flood does not wait for a client that has gone."""
        self.paused.set()

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol."""
        if self.left:
            self.left -= len(data)
            if self.small:
                self.small += data
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
        size = int(found[1]) if found else 0
        # a peer may send the body after the head, and its fields in another order; who asks for a stream asks briefly
        self.small = data if size < SEARCHED else b""
        self.dialect = CHAT if b"/chat/completions " in data[:100] else MESSAGES
        self.left = size - (len(data) - end - 4)
        if self.left <= 0:
            self.answer()

    def answer(self) -> None:
        """Answer the request that is read."""
        self.left = 0
        spec = SPEC.search(self.small)
        if spec is None:
            self.transport.write(self.dialect.small)
            return
        kind, events, rate = spec.groups()
        task = asyncio.get_running_loop().create_task(self.stream(kind, int(events), int(rate)))
        task.add_done_callback(lambda done: done.exception())

    async def stream(self, kind: bytes, events: int, rate: int) -> None:
        """Events at a rate, or a flood of blocks."""
        write, dialect = self.transport.write, self.dialect
        write(STREAM_HEAD + dialect.start)
        if kind == b"flood":
            block = dialect.delta * 400
            for _ in range(events):
                await self.paused.wait()
                if self.transport.is_closing():
                    return
                write(block)
                await asyncio.sleep(0)
        elif kind == b"stall":  # the rate is then the milliseconds in its middle
            write(dialect.delta * (events // 2))
            await asyncio.sleep(rate / 1000)
            write(dialect.delta * (events - events // 2))
        else:
            pause = 1 / rate
            for _ in range(events):
                await asyncio.sleep(pause)
                write(dialect.delta)
        write(dialect.end + b"0\r\n\r\n")


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
