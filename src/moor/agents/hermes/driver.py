"""Drives `hermes acp`. Facts: hermes.md 8, 9.

Each tool call is asked for by the plugin in `plugin.py`; a session in which it was not loaded is not begun.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents.acp import AcpDriver, AcpTraits
from moor.agents.acp.wire import CANCELLED, FAILED
from moor.agents.base import LaunchContext
from moor.agents.hermes.plan import hermes_home
from moor.agents.hermes.plugin import MARK, READY
from moor.agents.hermes.release import ID
from moor.agents.hermes.shim import TURN
from moor.domain.event import ERROR, TURN_END, Event
from moor.domain.plan import LaunchPlan
from moor.errors.agent import AgentStartFailed

Raw = dict[str, Any]

_KINDS: Final = {
    **dict.fromkeys(("read_file", "search_files"), "read"),
    **dict.fromkeys(("write_file", "patch"), "edit"),
    **dict.fromkeys(("terminal", "process"), "execute"),
    **dict.fromkeys(("web_search", "web_extract"), "fetch"),
    **dict.fromkeys(("skill_manage",), "think"),
}
_QUIET: Final = ("list", "poll", "log", "wait", "kill", "close")
"""actions on a background process of the session's own"""


def mended(call: Raw) -> Raw:
    """A permission of the gate in the protocol's words; every other call as it is."""
    given = call.get("rawInput")
    if not isinstance(given, dict) or given.get("description") != MARK:
        return call
    asked = _asked(str(given.get("command")))
    if asked is None:
        return {**call, "kind": "other", "rawInput": {}}
    tool = str(asked.get("tool"))
    arguments = asked.get("arguments")
    arguments = dict(arguments) if isinstance(arguments, dict) else {}
    kind = _kind(tool, arguments)
    return {
        **call,
        "name": tool,
        "title": _title(tool, arguments),
        "kind": kind,
        "content": [],
        "locations": [{"path": path} for path in asked.get("paths") or ()],
        "rawInput": _input(kind, arguments, str(asked.get("cwd") or "")),
    }


def _asked(text: str) -> Raw | None:
    """The tool call that the gate's plugin wrote into the command; None when it cannot be read."""
    try:
        asked = json.loads(text)
    except ValueError:
        return None
    return asked if isinstance(asked, dict) else None


def _kind(tool: str, arguments: Raw) -> str:
    if tool == "process" and arguments.get("action") in _QUIET:
        return "think"
    if tool == "vision_analyze":
        return "fetch" if "://" in str(arguments.get("image_url", "")) else "read"
    return _KINDS.get(tool, "other")


def _input(kind: str, arguments: Raw, cwd: str) -> Raw:
    """A command with the folder it runs in; anything else only as what it is: its paths stand apart."""
    if kind != "execute":
        return {"arguments": arguments} if kind not in ("read", "edit") else {}
    folder = str(Path(cwd, str(arguments.get("workdir") or "")))
    return {"command": str(arguments.get("command") or arguments.get("data") or ""), "cwd": folder}


def _title(tool: str, arguments: Raw) -> str:
    for key in ("command", "path", "pattern", "url", "query", "name"):
        if isinstance(arguments.get(key), str):
            return f"{tool}: {arguments[key]}"
    return tool


TRAITS: Final = AcpTraits(
    agent=ID,
    # edits are asked for by the gate, like all else
    mode="dont_ask",
    mend=mended,
    permission_is_call=False,
    commands=("/",),
)


class HermesDriver(AcpDriver):
    """The protocol's driver, behind a check that the gate stands."""

    def __init__(self, context: LaunchContext) -> None:
        super().__init__(context, TRAITS)
        self._home = hermes_home(context)

    async def events(self) -> AsyncIterator[Event]:
        """Events until the turn ends. What Hermes says behind a tool call begins with two empty lines."""
        async for event in super().events():
            if event.kind != TURN_END:
                yield event
                continue
            event = msgspec.structs.replace(event, text=event.text.strip("\n"))
            if event.status != CANCELLED and (problem := self._problem()):
                yield Event(kind=ERROR, text=problem, agent_session=event.agent_session)
                event = msgspec.structs.replace(event, status=FAILED)
            yield event

    def _problem(self) -> str:
        """Why the turn failed, as the shim has written it down: over the protocol all turns end well."""
        path = self._home / TURN
        try:
            return str(json.loads(path.read_text("utf-8"))["problem"])
        except (OSError, ValueError, KeyError):
            return "it is not known how the turn ended"
        finally:
            path.unlink(missing_ok=True)

    async def start(self, plan: LaunchPlan) -> None:
        """Start Hermes and open a session. Raises AgentStartFailed, also where it loaded no gate."""
        await super().start(plan)
        if not (self._home / READY).exists():
            await self.close()
            raise AgentStartFailed(agent=ID, problem="it did not load the plugin that asks for permissions")
