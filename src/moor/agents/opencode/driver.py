"""Drives `opencode serve`: one session, prompts in, events out, permissions and questions answered.

The event stream has no replay (facts/opencode 16.1): it is opened before the prompt, and after a gap the routes are
read again. The end of a turn is the `idle` of our session; a poll catches one that was missed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from moor.agents.base import LaunchContext
from moor.agents.opencode.process import Server
from moor.agents.opencode.providers import model_ref, split_ref
from moor.agents.opencode.release import ID
from moor.agents.opencode.wire import Raw, Translator, is_idle
from moor.domain.event import QUESTION, Event
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentGone, AgentProtocolError, AgentStartFailed
from moor.wire.sse import SseDecoder

_POLL_S: Final = 5.0
"""a turn that shows no event for this long is asked after"""
_QUEUE: Final = 10_000
_NOBODY: Final = "Nobody can answer: this session runs without a person. Decide by yourself and go on."
_DENIED: Final = "denied by the rules of this session"


class OpenCodeDriver:
    """One server with one session. Not for use from two tasks at once, but for `answer` and `cancel`."""

    def __init__(self, context: LaunchContext) -> None:
        self._context = context
        self._server: Server | None = None
        self._wire = Translator("")
        self._raw: asyncio.Queue[Raw | None] = asyncio.Queue(_QUEUE)
        self._pump: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self._questions: dict[str, list[Any]] = {}

    @property
    def agent_session(self) -> str:
        """OpenCode's id of the session; empty before `start`."""
        return self._wire.root

    async def start(self, plan: LaunchPlan) -> None:
        """Start the server, open the event stream, create the session. Raises AgentStartFailed within 90 s."""
        self._server = await Server.start(plan)
        self._pump = asyncio.create_task(self._read_events())
        try:
            root = await self._open_session()
        except AgentProtocolError as error:
            await self.close()
            raise AgentStartFailed(agent=ID, problem="it refuses its configuration", context=error.context) from error
        except (TimeoutError, AgentGone) as error:
            words = self._server.last_words
            await self.close()
            raise AgentStartFailed(agent=ID, problem="its server does not answer", context=words) from error
        self._wire = Translator(root)

    async def _open_session(self) -> str:
        """The id of a new session, once the event stream is open: it has no replay."""
        # a title saves OpenCode the call that invents one (8.5)
        answer = await self._call("POST", "/session", {"title": f"moor {self._context.session.id}"})
        root = str(answer.get("id", ""))
        if not root:
            raise AgentProtocolError(agent=ID, what="the creation of a session")
        await asyncio.wait_for(self._connected.wait(), 30)
        return root

    async def prompt(self, text: str) -> None:
        """Send one prompt, with the model named: a session remembers a wrong one for ever (14.3)."""
        provider, model = split_ref(model_ref(self._context.model))
        body = {"model": {"providerID": provider, "modelID": model}, "parts": [{"type": "text", "text": text}]}
        self._wire.begin()
        await self._call("POST", f"/session/{self._wire.root}/prompt_async", body)

    async def events(self) -> AsyncIterator[Event]:
        """Events until the turn ends. Raises AgentGone when the server is gone."""
        while True:
            ours, over = await self._next()
            for event in ours:
                if event.kind == QUESTION:
                    self._questions[event.id] = event.data.get("questions", [])
                yield event
            if over:
                for event in await self._finish():
                    yield event
                return

    async def answer(self, event_id: str, allow: bool, note: str = "") -> None:
        """Answer a permission, or tell the model that nobody answers its question. One that is gone is no error."""
        if event_id in self._questions:
            await self._answer_question(event_id, note or _NOBODY)
            return
        body: dict[str, str] = {"reply": "once"} if allow else {"reply": "reject", "message": note or _DENIED}
        await self._server_or_gone().client.request("POST", f"/permission/{event_id}/reply", body)

    async def cancel(self) -> None:
        """Abort the turn and what its tools run; returns within 5 s."""
        if self._server is not None and self._server.alive and self._wire.root:
            with contextlib.suppress(AgentGone):
                await self._server.client.request("POST", f"/session/{self._wire.root}/abort", {}, timeout_s=4.5)

    async def close(self) -> None:
        """Stop the server and its tools; returns within 5 s; idempotent."""
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
            self._pump = None
        if self._server is not None:
            await self._server.close()

    async def _next(self) -> tuple[list[Event], bool]:
        """Events for what came next, and whether the turn is over."""
        server = self._server_or_gone()
        try:
            # not wait_for: in Python 3.11 it swallows a cancellation that meets a full queue
            async with asyncio.timeout(_POLL_S):
                raw = await self._raw.get()
        except TimeoutError:
            return await self._look()
        if raw is None:
            if not server.alive:
                raise AgentGone(agent=ID, context=server.last_words)
            return await self._look()
        events = self._wire.feed(raw)
        over = is_idle(raw, self._wire.root) and self._wire.moved
        return events, over

    async def _look(self) -> tuple[list[Event], bool]:
        """Read the routes again: after a gap in the stream, and when nothing was heard for a while."""
        if not self._server_or_gone().alive:
            raise AgentGone(agent=ID, context=self._server_or_gone().last_words)
        status = await self._call("GET", "/session/status")
        events = await self._reread()
        for route, kind in (("/permission", "permission.asked"), ("/question", "question.asked")):
            for pending in await self._list(route):
                events += self._wire.feed({"type": kind, "properties": pending})
        idle = self._wire.root not in status
        return events, idle and self._wire.moved

    async def _finish(self) -> list[Event]:
        """What the end of the turn tells: parts that were missed, the error a 200 would hide (rule 7), the answer."""
        return [*await self._reread(), *self._wire.turn_end()]

    async def _reread(self) -> list[Event]:
        return self._wire.resync(await self._list(f"/session/{self._wire.root}/message?limit=200"))

    async def _answer_question(self, event_id: str, note: str) -> None:
        questions = self._questions.pop(event_id)
        client = self._server_or_gone().client
        if all(question.get("custom", True) for question in questions):
            answers = [[note] for _ in questions]
            await client.request("POST", f"/question/{event_id}/reply", {"answers": answers})
        else:
            await client.request("POST", f"/question/{event_id}/reject", {})

    async def _read_events(self) -> None:
        """Owner of the event stream: opens it again until the server is gone; None in the queue marks a gap."""
        server = self._server_or_gone()
        while server.alive:
            with contextlib.suppress(AgentGone):
                await self._read_stream(server)
            await self._raw.put(None)
            await asyncio.sleep(0.1)
        await self._raw.put(None)

    async def _read_stream(self, server: Server) -> None:
        decoder = SseDecoder()
        async for data in server.client.stream("/event"):
            for event in decoder.feed(data):
                raw = _decoded(event.data)
                if raw.get("type") == "server.connected":
                    self._connected.set()
                elif raw.get("type") != "server.heartbeat":
                    await self._raw.put(raw)

    async def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        """A JSON object; {} for an empty answer. Raises AgentGone, AgentProtocolError."""
        answer = await self._server_or_gone().client.request(method, path, body)
        if answer.status == 204 or not answer.body:
            return {}
        value = answer.json()
        if answer.status >= 400 or not isinstance(value, dict):
            context = f"{method} {path}: {answer.status} {answer.body[:400].decode('utf-8', 'replace')}"
            raise AgentProtocolError(agent=ID, what="a request", context=context)
        return value

    async def _list(self, path: str) -> list[Raw]:
        answer = await self._server_or_gone().client.request("GET", path)
        value = answer.json() if answer.status == 200 else []
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def _server_or_gone(self) -> Server:
        if self._server is None:
            raise AgentGone(agent=ID, context="it was not started")
        return self._server


def _decoded(data: bytes) -> Raw:
    import msgspec

    try:
        value = msgspec.json.decode(data)
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}
