"""Drives an agent over the Agent Client Protocol: one session, prompts in, events out, permissions answered.

We offer neither files nor terminals of an editor: with them some agents no longer write by themselves (facts/acp 7.1,
7.2). A note on a denial cannot be told over this protocol; the agent's own words for it reach the model.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

from moor import __version__
from moor.agents.acp.permission import CANCELLED, outcome
from moor.agents.acp.rpc import Id, Incoming, Refusal, Rpc
from moor.agents.acp.traits import AcpTraits
from moor.agents.acp.wire import Translator, sentence
from moor.agents.base import LaunchContext
from moor.agents.child import Child
from moor.domain.event import Event
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentGone, AgentProtocolError, AgentStartFailed

_VERSION: Final = 1
_UPDATE: Final = "session/update"
_PERMISSION: Final = "session/request_permission"
_QUESTION: Final = "elicitation/create"
_PROMPT: Final = "session/prompt"
_SERVES: Final = frozenset({_PERMISSION, _QUESTION})
_TASK: Final = "The task: "
_AUTH_REQUIRED: Final = -32000
_STOP_S: Final = 3.0
"""an agent that does not stop its turn within this time is ended"""
_CLOSE_S: Final = 1.0
_LOOK_S: Final = 0.02

Raw = dict[str, Any]


class AcpDriver:
    """One process with one session. Not for use from two tasks at once, but for `answer` and `cancel`."""

    def __init__(self, context: LaunchContext, traits: AcpTraits) -> None:
        self._context = context
        self._traits = traits
        self._rpc: Rpc | None = None
        self._wire = Translator("", traits)
        self._open: dict[str, tuple[Id, Incoming]] = {}
        self._denied: list[Event] = []
        self._idle = asyncio.Event()

    @property
    def agent_session(self) -> str:
        """The agent's own id of the session; empty before `start`."""
        return self._wire.session

    async def start(self, plan: LaunchPlan) -> None:
        """Start the program and open a session. Raises AgentStartFailed within 60 s; nothing is left running then."""
        child = await Child.start(self._traits.agent, plan)
        self._rpc = Rpc(child, _SERVES, self._arrived)
        try:
            async with asyncio.timeout(self._traits.start_s):
                session = await self._open_session(plan.cwd)
        except Refusal as error:
            raise await self._failed(_refused(error.error), sentence(error.error)) from error
        except AgentProtocolError as error:
            raise await self._failed("it does not speak the protocol that is expected", error.context) from error
        except TimeoutError as error:
            problem = f"it does not answer within {self._traits.start_s:.0f} s"
            raise await self._failed(problem, child.last_words) from error
        except AgentGone as error:
            await child.wait(1.0)
            code = child.returncode
            problem = f"it ended with code {code}" if code is not None else "it closed its output"
            raise await self._failed(problem, child.last_words) from error
        except BaseException:
            await self.close()
            raise
        self._wire = Translator(session, self._traits)
        self._idle.set()

    async def prompt(self, text: str) -> None:
        """Send one prompt. What the agent said since the last turn ended belongs to none and is dropped."""
        rpc = self._connected()
        for late in rpc.waiting():
            if late.id is not None:
                await self._let_go(late)
        self._wire.begin()
        self._idle.clear()
        told = f"{_TASK}{text}" if text.lstrip().startswith(self._traits.commands) else text
        await rpc.watch(_PROMPT, {"sessionId": self._wire.session, "prompt": [{"type": "text", "text": told}]})

    async def events(self) -> AsyncIterator[Event]:
        """Events until the turn ends. Raises AgentGone, AgentProtocolError."""
        rpc = self._connected()
        while True:
            item = await rpc.next()
            for event in self._translated(item):
                yield event
            if item.method == _PROMPT:
                return

    async def answer(self, event_id: str, allow: bool, note: str = "") -> None:  # noqa: ARG002 - see above
        """Answer a permission, or decline a question. One that is gone is no error."""
        number, asked = self._open.pop(event_id, (None, None))
        if number is None or asked is None:
            return
        if asked.method == _QUESTION:
            await self._connected().answer(number, {"action": "decline"})
            return
        if not allow:
            call = asked.params.get("toolCall")
            self._denied += self._wire.denied(str(call.get("toolCallId", "")) if isinstance(call, dict) else "")
        await self._connected().answer(number, outcome(asked.params.get("options"), allow))

    async def cancel(self) -> None:
        """Stop the running turn; an agent that does not stop is ended. Returns within 5 s."""
        if self._rpc is None or not self._rpc.child.alive or self._idle.is_set() or not self._wire.session:
            return
        with contextlib.suppress(AgentGone, TimeoutError):
            await self._stop(self._rpc)
        if not self._idle.is_set() and self._rpc.child.alive:
            await self._rpc.close(0.0)

    async def close(self) -> None:
        """Stop the turn, the agent and its tools; returns within 5 s; idempotent."""
        if self._rpc is None:
            return
        if self._wire.session and self._rpc.child.alive and not self._idle.is_set():
            with contextlib.suppress(AgentGone, TimeoutError):
                async with asyncio.timeout(_CLOSE_S):
                    await self._stop(self._rpc)
        await self._rpc.close(_CLOSE_S)
        self._open.clear()

    async def _stop(self, rpc: Rpc) -> None:
        """Tell the agent to stop, take back what it asked, and wait for the end of its turn."""
        async with asyncio.timeout(_STOP_S):
            await rpc.notify("session/cancel", {"sessionId": self._wire.session})
            while not self._idle.is_set() and rpc.child.alive:
                for _, asked in list(self._open.values()):
                    await self._let_go(asked)
                await asyncio.sleep(_LOOK_S)

    async def _open_session(self, cwd: str) -> str:
        """The id of a new session in the wanted mode and on the wanted model."""
        rpc, traits = self._connected(), self._traits
        hello = await rpc.call("initialize", _hello())
        if hello.get("protocolVersion") != _VERSION:
            raise AgentProtocolError(
                agent=traits.agent, what="the greeting", context=f"version {hello.get('protocolVersion')}"
            )
        if traits.auth_method:
            await rpc.call("authenticate", {"methodId": traits.auth_method})
        made = await rpc.call("session/new", {"cwd": cwd, "mcpServers": []})
        session = made.get("sessionId")
        if not isinstance(session, str) or not session:
            raise AgentProtocolError(agent=traits.agent, what="the creation of a session")
        await self._choose("model", traits.model, session, made)
        await self._choose("mode", traits.mode, session, made)
        return session

    async def _choose(self, what: str, value: str, session: str, made: Raw) -> None:
        """Set model or mode: by the session's option of that name where it has one, else by the older method."""
        if not value:
            return
        options = made.get("configOptions")
        for option in options if isinstance(options, list) else []:
            if isinstance(option, dict) and what in (option.get("category"), option.get("id")):
                asked = {"sessionId": session, "configId": option.get("id"), "value": value}
                await self._connected().call("session/set_config_option", asked)
                return
        await self._connected().call(f"session/set_{what}", {"sessionId": session, f"{what}Id": value})

    def _arrived(self, item: Incoming) -> None:
        """Called by the reader: what must be known even when nobody reads the events."""
        if item.method == _PROMPT:
            self._idle.set()
        elif item.id is not None:
            self._open[_event_id(item.id)] = (item.id, item)

    def _translated(self, item: Incoming) -> list[Event]:
        before, self._denied = self._denied, []
        if item.method == _UPDATE:
            return [*before, *self._wire.update(item.params)]
        if item.method == _PROMPT:
            return [*before, *self._wire.end(item.params, item.error)]
        if item.id is not None and _event_id(item.id) in self._open:
            tell = self._wire.permission if item.method == _PERMISSION else self._wire.question
            return [*before, *tell(_event_id(item.id), item.params)]
        return before

    async def _let_go(self, asked: Incoming) -> None:
        """Answer what nobody will decide any more."""
        if asked.id is not None and self._open.pop(_event_id(asked.id), None) is not None:
            answer = {"action": "cancel"} if asked.method == _QUESTION else CANCELLED
            await self._connected().answer(asked.id, answer)

    async def _failed(self, problem: str, context: str) -> AgentStartFailed:
        await self.close()
        return AgentStartFailed(agent=self._traits.agent, problem=problem, context=context)

    def _connected(self) -> Rpc:
        if self._rpc is None:
            raise AgentGone(agent=self._traits.agent, context="it was not started")
        return self._rpc


def _hello() -> Raw:
    return {
        "protocolVersion": _VERSION,
        "clientCapabilities": {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False},
        "clientInfo": {"name": "moorage", "title": "Moorage", "version": __version__},
    }


def _refused(error: Raw) -> str:
    return "it asks for a sign-in" if error.get("code") == _AUTH_REQUIRED else "it opens no session"


def _event_id(number: Id) -> str:
    """Unique in the process: ids begin at 0 and may be words."""
    return f"request-{number}"
