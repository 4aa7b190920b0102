"""Drives `claude -p` over its stdio protocol: prompts in, events out, every use of a tool asked about.

The process lives through all turns of a session. A hook that moor registers at the start is called before each use
of a tool, by sub-agents too, so that what Claude Code would allow by itself (reading anything, commands that look
harmless) is decided by moor's rules as well.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Final

from moor.agents.base import LaunchContext
from moor.agents.child import Child
from moor.agents.claude.environment import Places
from moor.agents.claude.release import ID
from moor.agents.claude.wire import Raw, Translator, first_request, interruption, reply, user_message
from moor.domain.event import QUESTION, TURN_END, Event
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentGone, AgentProtocolError, AgentStartFailed

START_TIMEOUT_S: Final = 60.0
_CANCEL_S: Final = 4.0
_QUEUE: Final = 10_000
_OPENING: Final = "open"
_STOP: Final = "stop"
_NOBODY: Final = "Nobody can answer: this session runs without a person. Decide by yourself and go on."
_DENIED: Final = "denied by the rules of this session"


class ClaudeDriver:
    """One process with one session. Not for use from two tasks at once, but for `answer` and `cancel`."""

    def __init__(self, context: LaunchContext) -> None:
        self._child: Child | None = None
        self._wire = Translator(str(Places(context).config))
        self._raw: asyncio.Queue[Raw | None] = asyncio.Queue(_QUEUE)
        self._pump: asyncio.Task[None] | None = None
        self._opened = asyncio.Event()
        self._ended = asyncio.Event()
        self._questions: set[str] = set()
        self._running = False

    @property
    def agent_session(self) -> str:
        """Claude Code's id of the session; empty before the first turn."""
        return self._wire.session

    async def start(self, plan: LaunchPlan) -> None:
        """Start the process and open the protocol. Raises AgentStartFailed within 60 s."""
        self._child = await Child.start(ID, plan)
        self._pump = asyncio.create_task(self._read(self._child))
        problem = f"it does not answer after {START_TIMEOUT_S:.0f} s"
        try:
            await self._child.send(first_request(_OPENING))
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._opened.wait()
            if self._child.alive:
                return
            problem = "it ended"
        except AgentGone:
            problem = "it ended"
        except TimeoutError:
            pass
        await asyncio.wait({self._pump}, timeout=1.0)  # its last words come by another pipe
        if self._child.returncode is not None:
            problem = f"it ended with code {self._child.returncode}"
        words = self._child.last_words
        await self.close()
        raise AgentStartFailed(agent=ID, problem=problem, context=words)

    async def prompt(self, text: str) -> None:
        """Send one prompt. Raises AgentGone."""
        self._wire.begin()
        self._ended.clear()
        self._running = True
        await self._child_or_gone().send(user_message(text))

    async def events(self) -> AsyncIterator[Event]:
        """Events until the turn ends. Raises AgentGone when the process is gone."""
        child = self._child_or_gone()
        while True:
            raw = await self._raw.get()
            if raw is None:
                raise AgentGone(agent=ID, context=child.last_words)
            for event in self._wire.feed(raw, time.time()):
                if event.kind == QUESTION:
                    self._questions.add(event.id)
                yield event
                if event.kind == TURN_END:
                    return
            await self._allow_what_needs_nobody(str(raw.get("request_id", "")))

    async def answer(self, event_id: str, allow: bool, note: str = "") -> None:
        """Answer a permission, or tell the model that nobody answers its question. One that is gone is no error."""
        asked = self._wire.asked.pop(event_id, None)
        if asked is None:
            return
        is_question = event_id in self._questions
        self._questions.discard(event_id)
        self._wire.answered(asked, allow=allow)
        words = "" if allow else note or (_NOBODY if is_question else _DENIED)
        await self._child_or_gone().send(reply(asked, allow=allow, note=words))

    async def cancel(self) -> None:
        """Interrupt the turn and what its tools run; returns within 5 s."""
        if self._child is None or not self._child.alive or not self._running:
            return
        self._wire.cancelled()
        with contextlib.suppress(AgentGone, TimeoutError):
            async with asyncio.timeout(_CANCEL_S):
                await self._child.send(interruption(_STOP))
                await self._ended.wait()

    async def close(self) -> None:
        """Stop the process; returns within 5 s; idempotent."""
        if self._child is not None:
            await self._child.close()
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
            self._pump = None
            with contextlib.suppress(asyncio.QueueFull):
                self._raw.put_nowait(None)  # who still waits for events learns that none will come

    async def _allow_what_needs_nobody(self, request_id: str) -> None:
        asked = self._wire.asked.get(request_id)
        if asked is not None and self._wire.needs_nobody(asked):
            await self.answer(request_id, True)

    async def _read(self, child: Child) -> None:
        """Owner of its output: hands everything on, None at its end."""
        with contextlib.suppress(AgentProtocolError):
            while (raw := await child.receive()) is not None:
                if raw.get("type") == "control_response":
                    self._opened.set()
                    continue
                if raw.get("type") == "result":
                    self._running = False
                    self._ended.set()
                await self._raw.put(raw)
        await child.wait(1.0)
        self._opened.set()
        self._ended.set()
        await self._raw.put(None)

    def _child_or_gone(self) -> Child:
        if self._child is None:
            raise AgentGone(agent=ID, context="it was not started")
        return self._child
