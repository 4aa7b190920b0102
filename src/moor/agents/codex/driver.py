"""Drives `codex app-server`: one thread, prompts in, events out, approvals and questions answered.

Commands and patches are asked for one by one (approval policy `untrusted`; in 0.169.0 even `cat` asks then), and run
without Codex's own sandbox: moor's rules decide, as they do for every agent, and a sandbox that is missing in a
container cannot change what is allowed. Pictures, which it would read without asking, are off (config).
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any, Final

from moor.agents.base import LaunchContext
from moor.agents.child import Child
from moor.agents.codex.plan import RULES
from moor.agents.codex.release import ID
from moor.agents.codex.wire import Raw, Translator, refusal
from moor.domain.event import Event
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentGone, AgentProtocolError, AgentStartFailed

START_TIMEOUT_S: Final = 60.0
_ANSWER_S: Final = 30.0
_CANCEL_S: Final = 4.0
_QUEUE: Final = 10_000
_POLICY: Final = {"approvalPolicy": "untrusted", "sandbox": "danger-full-access"}


class CodexDriver:
    """One server with one thread. Not for use from two tasks at once, but for `answer` and `cancel`."""

    def __init__(self, context: LaunchContext) -> None:
        self._context = context
        self._child: Child | None = None
        self._wire = Translator("")
        self._raw: asyncio.Queue[Raw | None] = asyncio.Queue(_QUEUE)
        self._waiting: dict[int, asyncio.Future[Raw]] = {}
        self._ids = itertools.count(1)
        self._pump: asyncio.Task[None] | None = None

    @property
    def agent_session(self) -> str:
        """Codex's id of the thread; empty before `start`."""
        return self._wire.root

    async def start(self, plan: LaunchPlan) -> None:
        """Start the server and a thread. Raises AgentStartFailed within 65 s; nothing is left running then."""
        self._child = await Child.start(ID, plan)
        self._pump = asyncio.create_task(self._read(self._child))
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                root = await self._open_thread(plan)
        except (AgentGone, AgentProtocolError, TimeoutError) as error:
            problem = await self._what_is_wrong(self._child, error)
            context = self._child.last_words or getattr(error, "context", "")
            await self.close()
            raise AgentStartFailed(agent=ID, problem=problem, context=context) from error
        except BaseException:
            await self.close()
            raise
        self._wire = Translator(root)

    async def _what_is_wrong(self, child: Child, error: Exception) -> str:
        """One clause; its last words are read before."""
        if isinstance(error, TimeoutError):
            return f"it does not answer within {START_TIMEOUT_S:.0f} s"
        if await child.wait(0.5):
            await asyncio.sleep(0.05)
            return f"it ended with code {child.returncode}"
        return "it refuses its settings"

    async def _open_thread(self, plan: LaunchPlan) -> str:
        client = {"name": "moor", "title": "Moorage", "version": self._context.installed.version}
        await self._call("initialize", {"clientInfo": client})
        await self._child_or_gone().send({"method": "initialized"})
        how = {**_POLICY, "cwd": plan.cwd, "model": self._context.model.id}
        if rules := self._rules(plan):
            how["developerInstructions"] = rules
        started = await self._call("thread/start", how)
        thread = started.get("thread")
        root = str(thread.get("id", "")) if isinstance(thread, dict) else ""
        if not root:
            raise AgentProtocolError(agent=ID, what="the start of a thread")
        return root

    def _rules(self, plan: LaunchPlan) -> str:
        """The repository's rules, which Codex does not read by itself in a folder that it does not trust."""
        path = str(self._context.session_home / RULES)
        return next((file.content.decode() for file in plan.files if file.path == path), "")

    async def prompt(self, text: str) -> None:
        """Send one prompt; its events come from `events()`."""
        self._wire.begin()
        await self._call("turn/start", {"threadId": self._wire.root, "input": [{"type": "text", "text": text}]})

    async def events(self) -> AsyncIterator[Event]:
        """Events until the turn ends. Raises AgentGone when the server is gone."""
        while not self._wire.over:
            raw = await self._raw.get()
            if raw is None:
                await self._raw.put(None)
                raise AgentGone(agent=ID, context=self._child_or_gone().last_words)
            events = self._wire.feed(raw)
            if "id" in raw and not self._wire.is_asked(raw):
                await self._child_or_gone().send(refusal(raw))
            for event in events:
                yield event

    async def answer(self, event_id: str, allow: bool, note: str = "") -> None:
        """Answer a permission, or tell the model that nobody answers its question. One that is gone is no error.

        A denied tool call tells the model that it was rejected; Codex has no place for the reason.
        """
        message = self._wire.answer(event_id, allow, note)
        if message is not None:
            await self._child_or_gone().send(message)

    async def cancel(self) -> None:
        """Interrupt the turn and what its tools run; returns within 5 s."""
        if self._child is None or not self._child.alive or not self._wire.turn:
            return
        with contextlib.suppress(AgentGone, AgentProtocolError, TimeoutError):
            async with asyncio.timeout(_CANCEL_S):
                await self._call("turn/interrupt", {"threadId": self._wire.root, "turnId": self._wire.turn})

    async def close(self) -> None:
        """Stop the server and its tools; returns within 5 s; idempotent."""
        if self._child is not None:
            await self._child.close()
        if self._pump is not None:
            self._pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._pump
            self._pump = None

    async def _call(self, method: str, params: Raw) -> dict[str, Any]:
        """The result of one request. Raises AgentGone, AgentProtocolError."""
        child = self._child_or_gone()
        number = next(self._ids)
        future: asyncio.Future[Raw] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            await child.send({"id": number, "method": method, "params": params})
            async with asyncio.timeout(_ANSWER_S if self._wire.root else None):
                answer = await future
        except TimeoutError as error:
            raise AgentGone(agent=ID, context=f"{method}: no answer in time") from error
        finally:
            self._waiting.pop(number, None)
        if "error" in answer:
            said = answer["error"].get("message", "") if isinstance(answer["error"], dict) else ""
            raise AgentProtocolError(agent=ID, what=f"{method}", context=str(said))
        result = answer.get("result")
        return result if isinstance(result, dict) else {}

    async def _read(self, child: Child) -> None:
        """Owner of the server's output: answers go to who waits, all else into the queue, None at its end."""
        try:
            while (message := await child.receive()) is not None:
                number = message.get("id")
                if "method" in message:
                    await self._raw.put(message)
                elif isinstance(number, int) and (future := self._waiting.get(number)) and not future.done():
                    future.set_result(message)
        except AgentProtocolError:
            pass  # a line above any measure: nothing that follows it can be read
        finally:
            self._tell_the_end(child.last_words)

    def _tell_the_end(self, last_words: str) -> None:
        """Nothing more will come: who waits for an answer gets AgentGone, the queue its None."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(AgentGone(agent=ID, context=last_words))
        with contextlib.suppress(asyncio.QueueFull):
            self._raw.put_nowait(None)

    def _child_or_gone(self) -> Child:
        if self._child is None:
            raise AgentGone(agent=ID, context="it was not started")
        return self._child
