"""One HTTP connection: h11 for the rules of the protocol, asyncio streams for the bytes.

Watches for the client's leaving while an answer is made, so that a cancelled call stops at once; sends broken answers
on purpose where a fault or a script asks for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Final, Protocol
from urllib.parse import unquote

import h11

from moor.sim.faults import Fault
from moor.sim.messages import Answer, Chunk, Cut, End, Reply, Request, Stall, Streamed
from moor.sim.records import Seen

SIMULATED: Final = ((b"x-moor-simulated", b"true"), (b"server", b"moor-simulator"))
_READ: Final = 65_536
_PENDING_MAX: Final = 1 << 20
_NO_BODY: Final = (204, 304)


class Hangup(ConnectionError):
    """The connection must be closed now, without another byte; caught in this file."""


class Desk(Protocol):
    """Who answers the requests of all connections."""

    def open(self, request: Request) -> Seen | None:
        """The log's entry for a request that has arrived; None for one that is not logged."""
        ...

    async def respond(self, request: Request, seen: Seen | None) -> tuple[Reply, Fault | None]:
        """The reply and the fault that strikes it. Must not raise but when cancelled."""
        ...


class Connection:
    """Serves one connection until either side has enough."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, desk: Desk, max_body: int) -> None:
        self._reader = reader
        self._writer = writer
        self._desk = desk
        self._max_body = max_body
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        self._pending = bytearray()
        self._seen: Seen | None = None
        self._method = b""

    async def serve(self) -> None:
        """Until the connection ends. Never raises but when cancelled."""
        try:
            while await self._exchange():
                pass
        except (Hangup, ConnectionError, h11.LocalProtocolError, TimeoutError):
            pass
        except h11.RemoteProtocolError as problem:
            await self._refuse_framing(problem)
        finally:
            with contextlib.suppress(ConnectionError, OSError):
                self._writer.close()

    async def _exchange(self) -> bool:
        """One request and its answer; False when the connection is over."""
        request = await self._receive()
        if request is None:
            return False
        self._seen = self._desk.open(request)
        async with asyncio.TaskGroup() as group:
            work = group.create_task(self._respond(request))
            watch = group.create_task(self._watch(work))
            work.add_done_callback(lambda _task: watch.cancel())
        if work.cancelled() or work.result() is False:
            return False
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return True

    async def _receive(self) -> Request | None:
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                await self._feed()
            elif isinstance(event, h11.Request):
                head = event
                self._method = event.method
            elif isinstance(event, h11.Data):
                body += event.data
                if len(body) > self._max_body:
                    await self._send_answer(Answer(status=413, body=b'{"error_code":"BAD_REQUEST"}'), None)
                    raise Hangup
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _request(head, bytes(body))
            else:
                return None

    async def _feed(self) -> None:
        """Take what comes next, from a client that waits for a word to go on too."""
        if self._h11.they_are_waiting_for_100_continue:
            go = h11.InformationalResponse(status_code=100, headers=[])
            await self._write(self._h11.send(go))
        data = await self._more()
        self._h11.receive_data(data)

    async def _more(self) -> bytes:
        if self._pending:
            data = bytes(self._pending)
            self._pending.clear()
            return data
        return await self._reader.read(_READ)

    async def _watch(self, work: asyncio.Task[bool]) -> None:
        """Keep what a pipelining client sends early; cancel the work when the client leaves."""
        while len(self._pending) < _PENDING_MAX:
            try:
                data = await self._reader.read(_READ)
            except ConnectionError:
                data = b""
            if not data:
                if self._seen is not None and not self._seen.finished:
                    self._seen.client_left = True
                work.cancel()
                return
            self._pending += data

    async def _respond(self, request: Request) -> bool:
        """Answer one request; False when the connection was broken off on purpose or by the client."""
        try:
            reply, fault = await self._desk.respond(request, self._seen)
            await _strike(fault, self._writer)
            if isinstance(reply, Streamed):
                await self._send_stream(reply, fault)
            else:
                await self._send_answer(reply, fault)
        except (Hangup, ConnectionError):
            return False
        finally:
            if self._seen is not None:
                self._seen.finished = True
        return True

    async def _send_answer(self, answer: Answer, fault: Fault | None) -> None:
        await asyncio.sleep(answer.delay_s)
        headers = [(n.encode(), v.encode("latin-1", "replace")) for n, v in answer.headers]
        headers += [*SIMULATED, (b"content-length", str(len(answer.body)).encode())]
        await self._write(self._h11.send(h11.Response(status_code=answer.status, headers=headers)))
        if answer.body and self._method != b"HEAD" and answer.status not in _NO_BODY:
            for part in _within(answer.body, fault, 0):
                await self._send_chunk(part)
        await self._write(self._h11.send(h11.EndOfMessage()))

    async def _send_stream(self, reply: Streamed, fault: Fault | None) -> None:
        headers = [(n.encode(), v.encode("latin-1", "replace")) for n, v in reply.headers]
        head = h11.Response(status_code=reply.status, headers=[*headers, *SIMULATED, (b"cache-control", b"no-cache")])
        await self._write(self._h11.send(head))
        async with contextlib.aclosing(reply.chunks) as chunks:
            await self._send_chunks(chunks, fault)
        await self._write(self._h11.send(h11.EndOfMessage()))

    async def _send_chunks(self, chunks: AsyncGenerator[Chunk, None], fault: Fault | None) -> None:
        sent = 0
        async for chunk in chunks:
            for part in _within(chunk, fault, sent) if isinstance(chunk, bytes) else (chunk,):
                if isinstance(part, End):
                    return
                await self._send_chunk(part)
            sent += len(chunk) if isinstance(chunk, bytes) else 0

    async def _send_chunk(self, chunk: Chunk) -> None:
        if isinstance(chunk, Cut):
            raise Hangup
        if isinstance(chunk, Stall):
            await asyncio.Event().wait()
            return
        await self._write(self._h11.send(h11.Data(data=chunk)))

    async def _write(self, data: bytes | None) -> None:
        if data:
            self._writer.write(data)
            await self._writer.drain()

    async def _refuse_framing(self, problem: h11.RemoteProtocolError) -> None:
        if self._h11.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        body = f'{{"error_code":"BAD_REQUEST","message":"{problem.error_status_hint}"}}'.encode()
        with contextlib.suppress(ConnectionError, h11.LocalProtocolError):
            await self._send_answer(Answer(status=problem.error_status_hint, body=body), None)


async def _strike(fault: Fault | None, writer: asyncio.StreamWriter) -> None:
    """What a fault does before the first byte."""
    if fault is None:
        return
    await asyncio.sleep(fault.delay_s)
    if fault.first_byte_never:
        await asyncio.Event().wait()
    if fault.raw:
        writer.write(fault.raw.encode("latin-1", "replace"))
        await writer.drain()
    if fault.drop or fault.raw:
        raise Hangup


def _within(data: bytes, fault: Fault | None, sent: int) -> list[Chunk]:
    """The part of the data that a cutting, ending or stalling fault lets through, and the break after it."""
    if fault is None:
        return [data]
    breaks: tuple[tuple[int | None, Chunk], ...] = (
        (fault.cut_after_bytes, Cut()),
        (fault.end_after_bytes, End()),
        (fault.stall_after_bytes, Stall()),
    )
    for limit, end in breaks:
        if limit is not None and sent + len(data) >= limit:
            kept = data[: max(limit - sent, 0)]
            return [kept, end] if kept else [end]
    return [data]


def _request(head: h11.Request, body: bytes) -> Request:
    target = head.target.decode("latin-1")
    path, _, query = target.partition("?")
    return Request(
        method=head.method.decode(),
        path=unquote(path),
        query_text=query,
        headers=tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers),
        body=body,
    )
