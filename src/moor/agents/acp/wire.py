"""Messages of the Agent Client Protocol to our events, without I/O. One `Translator` follows one session."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from moor.agents.acp.permission import access, command, folder, paths
from moor.agents.acp.traits import AcpTraits
from moor.agents.base import COMMAND
from moor.domain.event import (
    ERROR,
    MESSAGE,
    PERMISSION,
    QUESTION,
    STATUS,
    THOUGHT,
    TOOL_CALL,
    TOOL_UPDATE,
    TURN_END,
    Event,
)

Raw = dict[str, Any]

PLAN: Final = "plan"
"""`Event.text` of a STATUS event that carries the agent's list of steps"""
END_TURN: Final = "end_turn"
CANCELLED: Final = "cancelled"
FAILED: Final = "error"
_STATES: Final = ("pending", "in_progress", "completed", "failed")
_OVER: Final = ("completed", "failed")
_CHUNKS: Final = {"agent_message_chunk": MESSAGE, "agent_thought_chunk": THOUGHT}
_STOPS: Final = {
    "max_tokens": "the answer was cut at the output limit",
    "max_turn_requests": "the agent stopped at its own limit of model calls in one turn",
    "refusal": "the model refused to go on",
}
_NO_ANSWER: Final = "the model gave no answer, or a broken one"
_DEEP: Final = 4
"""levels of JSON inside an error's sentence"""


class Translator:
    """State of one turn after another. What a form does not say is left empty; nothing raises."""

    def __init__(self, session: str, traits: AcpTraits) -> None:
        self.session = session
        self._traits = traits
        self._calls: dict[str, Raw] = {}
        self._segment = ""
        self._answer = ""
        self._piece = ""
        self._denied = False

    def begin(self) -> None:
        """A prompt is about to go."""
        self._calls.clear()
        self._segment = self._answer = self._piece = ""

    def update(self, params: Raw) -> list[Event]:
        """Events for one `session/update`."""
        update = _map(params.get("update"))
        kind = str(update.get("sessionUpdate", ""))
        if kind in _CHUNKS:
            return self._chunk(_CHUNKS[kind], update, params)
        if kind in ("tool_call", "tool_call_update"):
            return self._tool(update, params)
        if kind == PLAN:
            entries = update.get("entries")
            data = {"entries": entries if isinstance(entries, list) else []}
            return [self._event(STATUS, params, text=PLAN, data=data)]
        return []

    def permission(self, event_id: str, params: Raw) -> list[Event]:
        """Events for one `session/request_permission`: often the first sight of its tool call."""
        given = self._traits.mend(_map(params.get("toolCall")))
        call_id = str(given.get("toolCallId", ""))
        events: list[Event] = []
        if self._traits.permission_is_call and call_id:
            events = self._told(call_id, given, params)
            given = self._calls[call_id]
        kind = access(given)
        title = str(given.get("title") or "")
        line = command(given) if kind == COMMAND else ""
        data: Raw = {"access": kind, "command": line, "call": call_id, "tool": _name(given), "patterns": [title]}
        if kind == COMMAND and (where := folder(given)):
            data["cwd"] = where
        asked = self._event(
            PERMISSION,
            params,
            id=event_id,
            name=_name(given),
            title=line or title,
            paths=() if kind == COMMAND else paths(given),
            data=data,
        )
        return [*events, asked]

    def question(self, event_id: str, params: Raw) -> list[Event]:
        """Events for one `elicitation/create`."""
        title = str(params.get("message") or "")
        return [
            self._event(QUESTION, params, id=event_id, title=title, data={"schema": params.get("requestedSchema")})
        ]

    def denied(self, call_id: str) -> list[Event]:
        """A permission was denied: some agents never say that its tool call is over."""
        call = self._calls.get(call_id)
        return [self._over(call_id, call, "denied")] if call is not None and call["status"] not in _OVER else []

    def end(self, result: Raw, error: Raw | None) -> list[Event]:
        """The last events of a turn."""
        reason = str(result.get("stopReason") or END_TURN)
        text = self._segment or self._answer
        problem, data = self._problem(reason, text, error)
        events = self._unfinished(failed=bool(problem) or reason == CANCELLED)
        status = reason
        if problem:
            events.append(Event(kind=ERROR, text=problem, data=data, agent_session=self.session, raw=error or result))
            status = reason if reason in _STOPS else FAILED
        return [*events, Event(kind=TURN_END, status=status, text=text, agent_session=self.session, raw=result)]

    def _problem(self, reason: str, text: str, error: Raw | None) -> tuple[str, Raw]:
        """Why the turn failed, and what else is known of it; empty when it did not."""
        if error is not None:
            return sentence(error), {"status": error.get("code")}
        if reason in _STOPS:
            return _STOPS[reason], {}
        if reason == CANCELLED:
            return "", {}
        if self._traits.failed_text and re.match(self._traits.failed_text, text):
            return text, {}
        if self._traits.failed_piece and re.match(self._traits.failed_piece, self._piece):
            return self._piece, {}
        return (_NO_ANSWER, {}) if self._traits.empty_is_failure and not self._segment.strip() else ("", {})

    def _unfinished(self, *, failed: bool) -> list[Event]:
        """Calls that the agent never ended: taken as done where the turn ended well."""
        state = "failed" if failed else "completed"
        calls = [(key, call) for key, call in self._calls.items() if call["status"] not in _OVER]
        return [self._over(key, call, "unconfirmed", state) for key, call in calls]

    def _over(self, call_id: str, call: Raw, why: str, state: str = "failed") -> Event:
        call["status"] = state
        return self._event(
            TOOL_UPDATE,
            {},
            id=call_id,
            name=_name(call),
            title=str(call.get("title", "")),
            status=state,
            data={why: True},
        )

    def _chunk(self, kind: str, update: Raw, params: Raw) -> list[Event]:
        text = _text(update.get("content"))
        if not text:
            return []
        if self._traits.notice and re.match(self._traits.notice, text):
            return [self._event(STATUS, params, text=text)]
        if kind == MESSAGE:
            self._segment += text
            self._piece = text
        return [self._event(kind, params, text=text, id=str(update.get("messageId") or ""))]

    def _tool(self, update: Raw, params: Raw) -> list[Event]:
        call_id = str(update.get("toolCallId") or "")
        return self._told(call_id, self._traits.mend(update), params) if call_id else []

    def _told(self, call_id: str, given: Raw, params: Raw) -> list[Event]:
        """What is new in it: a call, or another state of one. The rest is remembered."""
        known = self._calls.get(call_id)
        before = known["status"] if known is not None else ""
        call = {**(known or {}), **{key: value for key, value in given.items() if value not in (None, [], {})}}
        call["status"] = given["status"] if given.get("status") in _STATES else before or "pending"
        if before in _OVER:
            return []
        self._calls[call_id] = call
        if known is None:
            self._answer, self._segment = self._segment or self._answer, ""
        if call["status"] == before:
            return []
        data: Raw = {"input": call.get("rawInput", {})}
        if call["status"] in _OVER and (output := _output(call)):
            data["output" if call["status"] == "completed" else "error"] = output
        return [
            self._event(
                TOOL_CALL if known is None else TOOL_UPDATE,
                params,
                id=call_id,
                name=_name(call),
                title=str(call.get("title") or ""),
                status=call["status"],
                paths=paths(call),
                data=data,
            )
        ]

    def _event(self, kind: str, params: Raw, **fields: Any) -> Event:
        session = str(params.get("sessionId") or self.session)
        data = dict(fields.pop("data", {}))
        if session != self.session:
            data["subagent"] = True
        return Event(kind=kind, agent_session=session, raw=params or None, data=data, **fields)


def sentence(error: Raw) -> str:
    """What a person is told of a JSON-RPC error: the innermost sentence, agents wrap the upstream's in JSON."""
    data = error.get("data")
    details = data if isinstance(data, str) else str(_map(data).get("details") or _map(data).get("message") or "")
    text = str(error.get("message") or "")
    if details and (not text or text.lower() == "internal error"):
        text = details
    for _ in range(_DEEP):
        inner = _inner(text)
        if not inner:
            break
        text = inner
    return text.strip() or "the agent reports an error without words"


def _inner(text: str) -> str:
    """The sentence of the JSON that the text holds; empty where it holds none."""
    start, end = text.find("{"), text.rfind("}")
    if not 0 <= start < end:
        return ""
    try:
        value = msgspec.json.decode(text[start : end + 1])
    except msgspec.DecodeError:
        return ""
    inner = _map(value).get("error")
    found = inner if isinstance(inner, str) else _map(inner).get("message") or _map(value).get("message")
    return found if isinstance(found, str) else ""


def _name(call: Raw) -> str:
    return str(call.get("name") or call.get("kind") or "tool")


def _text(content: Any) -> str:
    return str(_map(content).get("text") or "")


def _output(call: Raw) -> Any:
    """What the tool gave back: the agent's own form, else the texts for a person."""
    if call.get("rawOutput"):
        return call["rawOutput"]
    parts = call.get("content")
    texts = [_text(_map(part).get("content")) for part in parts] if isinstance(parts, list) else []
    return "\n".join(text for text in texts if text)


def _map(value: Any) -> Raw:
    return value if isinstance(value, dict) else {}
