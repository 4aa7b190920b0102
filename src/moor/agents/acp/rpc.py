"""JSON-RPC 2.0 over an agent's standard streams: both sides ask, each with ids of its own.

One reader. Answers to our requests go to whoever asked; what the agent sends by itself goes into one queue, in the
order in which it came. Requests of methods that nobody here serves are refused at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, Final

import msgspec

from moor.agents.child import Child
from moor.errors.agent import AgentGone, AgentProtocolError

METHOD_NOT_FOUND: Final = -32601
_QUEUE: Final = 10_000

Raw = dict[str, Any]
Id = int | str


class Refusal(Exception):
    """The agent answered a request with an error."""

    def __init__(self, error: Raw) -> None:
        super().__init__(str(error.get("message", "")))
        self.error = error


class Incoming(msgspec.Struct, frozen=True):
    """Something the agent sent: a notification, a request (`id` is set), or the answer to a watched request."""

    method: str
    params: Raw
    id: Id | None = None
    error: Raw | None = None
    """of an answer"""


class Rpc:
    """One connection. `serves`: the methods whose requests are queued; others are refused."""

    def __init__(self, child: Child, serves: frozenset[str], arrived: Callable[[Incoming], None]) -> None:
        self.child = child
        self._serves = serves
        self._arrived = arrived
        self._asked: dict[Id, asyncio.Future[Raw]] = {}
        self._watched: dict[Id, str] = {}
        self._last = 0
        self._queue: asyncio.Queue[Incoming | None] = asyncio.Queue(_QUEUE)
        self._problem: AgentProtocolError | None = None
        self._reader = asyncio.create_task(self._read())

    async def call(self, method: str, params: Raw) -> Raw:
        """The result. Raises Refusal for an error, AgentGone, AgentProtocolError."""
        self._last += 1
        future: asyncio.Future[Raw] = asyncio.get_running_loop().create_future()
        self._asked[self._last] = future
        number = self._last
        try:
            await self._send(id=number, method=method, params=params)
            return await future
        finally:
            self._asked.pop(number, None)

    async def watch(self, method: str, params: Raw) -> None:
        """A request whose answer comes into the queue, in order with what came before it; its method is its name."""
        self._last += 1
        self._watched[self._last] = method
        await self._send(id=self._last, method=method, params=params)

    async def notify(self, method: str, params: Raw) -> None:
        """A message without an answer. Raises AgentGone."""
        await self._send(method=method, params=params)

    async def answer(self, number: Id, result: Raw) -> None:
        """The answer to a request of the agent's. Raises AgentGone."""
        await self._send(id=number, result=result)

    async def next(self) -> Incoming:
        """What the agent sent next. Raises AgentGone once it has ended, AgentProtocolError when it cannot be read."""
        item = await self._queue.get()
        if item is None:
            self._queue.put_nowait(None)  # for whoever asks again
            raise self._problem or self._gone()
        return item

    def waiting(self) -> list[Incoming]:
        """Takes out what has come and was not read."""
        out = []
        while not self._queue.empty():
            item = self._queue.get_nowait()
            if item is None:
                self._queue.put_nowait(None)
                break
            out.append(item)
        return out

    async def close(self, patience_s: float = 1.0) -> None:
        """End the agent; at most `patience_s` + 2 s; idempotent."""
        await self.child.close(patience_s)
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        self._release()

    async def _read(self) -> None:
        try:
            while (message := await self.child.receive()) is not None:
                await self._take(message)
        except AgentProtocolError as error:
            self._problem = error
        except AgentGone:
            pass  # it does not take our refusal: the end of its output says the same
        finally:
            self._release()
            if self._queue.full():
                self._queue.get_nowait()  # whoever reads must learn that nothing more comes
            self._queue.put_nowait(None)

    async def _take(self, message: Raw) -> None:
        method, number = message.get("method"), message.get("id")
        if not isinstance(number, int | str):
            number = None
        if isinstance(method, str):
            await self._take_asked(method, number, message)
        elif number in self._watched:
            item = Incoming(self._watched.pop(number), _map(message.get("result")), None, _error(message))
            self._arrived(item)
            await self._queue.put(item)
        elif number is not None and (future := self._asked.pop(number, None)) and not future.done():
            error = _error(message)
            if error is None:
                future.set_result(_map(message.get("result")))
            else:
                future.set_exception(Refusal(error))

    async def _take_asked(self, method: str, number: Id | None, message: Raw) -> None:
        if number is not None and method not in self._serves:
            error = {"code": METHOD_NOT_FOUND, "message": f"{method} is not served"}
            await self._send(id=number, error=error)
            return
        item = Incoming(method, _map(message.get("params")), number)
        self._arrived(item)
        await self._queue.put(item)

    async def _send(self, **message: Any) -> None:
        await self.child.send({"jsonrpc": "2.0", **message})

    def _release(self) -> None:
        """Nobody waits for a process that has ended."""
        for future in self._asked.values():
            if not future.done():
                future.set_exception(self._problem or self._gone())
        self._asked.clear()

    def _gone(self) -> AgentGone:
        return AgentGone(agent=self.child.agent, context=self.child.last_words)


def _map(value: Any) -> Raw:
    return value if isinstance(value, dict) else {}


def _error(message: Raw) -> Raw | None:
    if "error" not in message or message["error"] is None:
        return None
    error = message["error"]
    return error if isinstance(error, dict) else {"message": str(error)}
