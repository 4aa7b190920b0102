"""OpenCode's server events to ours, without I/O. The only file that knows its field names (facts/opencode 14 to 16).

One `Translator` follows one root session and its sub-agents. It takes events from the stream and, after a gap in the
stream, whole messages from the REST routes; what was told before is not told twice.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from moor.agents.base import COMMAND, FETCH, INTERNAL, OTHER, READ, WRITE
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

_STATES: Final = {"pending": "pending", "running": "in_progress", "completed": "completed", "error": "failed"}
_PATH_KEYS: Final = ("filePath", "path", "file")
_ACCESS: Final = {
    "bash": COMMAND,
    "edit": WRITE,
    "read": READ,
    "glob": READ,
    "grep": READ,
    "list": READ,
    "webfetch": FETCH,
    "websearch": FETCH,
    "task": INTERNAL,
    "skill": INTERNAL,
    "todowrite": INTERNAL,
    "todoread": INTERNAL,
}
_TOOL_ACCESS: Final = {**_ACCESS, "write": WRITE, "apply_patch": WRITE, "patch": WRITE, "multiedit": WRITE}
_OUTSIDE: Final = "external_directory"
_TEXT_KINDS: Final = {"text": MESSAGE, "reasoning": THOUGHT}
RETRY: Final = "retry"
"""`Event.text` of a STATUS event while OpenCode waits to repeat a model call"""
BUSY: Final = "busy"

Raw = dict[str, Any]


class Translator:
    """State of one turn after another in one root session."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.sessions = {root}
        self.busy = False
        self.failure = ""
        self.failure_data: Raw = {}
        self._users: set[str] = set()
        self._asides: set[str] = set()
        self._kinds: dict[str, str] = {}
        self._told: dict[str, str] = {}
        self._tools: dict[str, str] = {}
        self._given: dict[str, tuple[str, Raw]] = {}
        self._asked: set[str] = set()
        self._newest = ""
        self._floor = ""
        self._last_message = ""
        self._texts: dict[str, dict[str, str]] = {}

    def feed(self, raw: Raw) -> list[Event]:
        """Our events for one of OpenCode's; [] for noise, other sessions and what is known already."""
        properties = _map(raw.get("properties"))
        kind = str(raw.get("type", ""))
        if kind == "session.created":
            self._child(_map(properties.get("info")))
        handler = _HANDLERS.get(kind)
        session = self._session_of(properties)
        if handler is None or session not in self.sessions:
            return []
        events: list[Event] = handler(self, properties, session, raw)
        return events

    def begin(self) -> None:
        """A prompt is about to go: what stands in the session now belongs to earlier turns."""
        self.failure, self.failure_data, self.busy = "", {}, False
        self._floor, self._last_message, self._texts = self._newest, "", {}

    @property
    def moved(self) -> bool:
        """Whether this turn has begun to show: an idle session is then a finished one."""
        return self.busy or bool(self.failure or self._last_message)

    def resync(self, messages: list[Raw]) -> list[Event]:
        """What a whole list of messages (GET /session/{id}/message) tells beyond what the stream told."""
        events: list[Event] = []
        for message in messages:
            info = _map(message.get("info"))
            session = str(info.get("sessionID", self.root))
            events += self._message(
                {"info": info}, session, {"type": "message.updated", "properties": {"info": info}}
            )
            for part in _list(message.get("parts")):
                events += self._part({"part": part}, session, {"type": "message.part.updated", "properties": part})
        return events

    def turn_end(self) -> list[Event]:
        """The last events of a turn: its error, if there was one, and the end with the answer's text."""
        text = "".join(self._texts.get(self._last_message, {}).values())
        if not self.failure:
            return [Event(kind=TURN_END, status="end_turn", text=text, agent_session=self.root)]
        aborted = self.failure_data.get("name") == "MessageAbortedError"
        end = Event(kind=TURN_END, status="cancelled" if aborted else "error", text=text, agent_session=self.root)
        if aborted:
            return [end]
        error = Event(kind=ERROR, text=self.failure, data=self.failure_data, agent_session=self.root)
        return [error, end]

    def _session_of(self, properties: Raw) -> str:
        for holder in (properties, _map(properties.get("info")), _map(properties.get("part"))):
            if holder.get("sessionID"):
                return str(holder["sessionID"])
        return str(_map(properties.get("info")).get("id", "")) or self.root

    def _child(self, info: Raw) -> None:
        if str(info.get("parentID", "")) in self.sessions and info.get("id"):
            self.sessions.add(str(info["id"]))

    def _message(self, properties: Raw, session: str, _raw: Raw) -> list[Event]:
        info = _map(properties.get("info"))
        message_id = str(info.get("id", ""))
        if info.get("role") == "user":
            self._users.add(message_id)
            return []
        if info.get("summary") or info.get("agent") == "compaction":
            self._asides.add(message_id)
        elif session == self.root and info.get("role") == "assistant" and message_id > self._floor:
            # ids sort by time
            self._newest = self._last_message = max(self._last_message, message_id)
            if info.get("error"):
                self._fail(_map(info["error"]))
        return []

    def _part(self, properties: Raw, session: str, raw: Raw) -> list[Event]:
        part = _map(properties.get("part"))
        message_id = str(part.get("messageID", ""))
        if message_id in self._users or message_id in self._asides or part.get("synthetic"):
            return []
        kind = str(part.get("type", ""))
        if kind == "tool":
            return self._tool(part, session, raw)
        if kind in _TEXT_KINDS:
            self._kinds[str(part.get("id", ""))] = kind
            return self._text(part, str(part.get("text") or ""), session, raw)
        return []

    def _delta(self, properties: Raw, session: str, raw: Raw) -> list[Event]:
        part_id = str(properties.get("partID", ""))
        if properties.get("field") != "text" or part_id not in self._kinds:
            return []
        part = {"id": part_id, "messageID": properties.get("messageID"), "type": self._kinds[part_id]}
        return self._text(part, self._told.get(part_id, "") + str(properties.get("delta") or ""), session, raw)

    def _text(self, part: Raw, whole: str, session: str, raw: Raw) -> list[Event]:
        """The new end of a part's text; a part that was rewritten is not told again, only kept."""
        part_id = str(part.get("id", ""))
        before = self._told.get(part_id, "")
        if len(whole) < len(before) or whole == before:
            return []
        self._told[part_id] = whole
        if part.get("type") == "text" and session == self.root:
            self._texts.setdefault(str(part.get("messageID", "")), {})[part_id] = whole
        if not whole.startswith(before):
            return []
        return [self._event(_TEXT_KINDS[str(part["type"])], session, raw, text=whole[len(before) :], id=part_id)]

    def _tool(self, part: Raw, session: str, raw: Raw) -> list[Event]:
        state = _map(part.get("state"))
        call = str(part.get("callID") or part.get("id", ""))
        status = _STATES.get(str(state.get("status", "")), "pending")
        key = f"{session}/{call}"
        before = self._tools.get(key)
        if before == status or before in ("completed", "failed"):
            return []
        self._tools[key] = status
        given = _map(state.get("input"))
        self._given[key] = (str(part.get("tool", "")), given)
        data: Raw = {"input": given}
        data |= {name: state[name] for name in ("output", "error") if state.get(name) is not None}
        if isinstance(state.get("metadata"), dict):
            data["metadata"] = state["metadata"]
        return [
            self._event(
                TOOL_CALL if before is None else TOOL_UPDATE,
                session,
                raw,
                id=call,
                name=str(part.get("tool", "")),
                title=str(state.get("title") or _title(str(part.get("tool", "")), given)),
                status=status,
                paths=_paths(given),
                data=data,
            )
        ]

    def _permission(self, properties: Raw, session: str, raw: Raw) -> list[Event]:
        if not self._is_new(properties):
            return []
        metadata = _map(properties.get("metadata"))
        patterns = [str(pattern) for pattern in _list(properties.get("patterns"))]
        name = str(properties.get("permission", ""))
        call = str(_map(properties.get("tool")).get("callID", ""))
        tool, given = self._given.get(f"{session}/{call}", ("", {}))
        access = _ACCESS.get(name, OTHER) if name != _OUTSIDE else _TOOL_ACCESS.get(tool, WRITE)
        paths = _meant(access, name, patterns, metadata, given)
        command = str(metadata.get("command") or given.get("command") or "") if access == COMMAND else ""
        data = {"access": access, "patterns": patterns, "command": command, "call": call, "tool": tool}
        if isinstance(given.get("workdir"), str):
            data["cwd"] = given["workdir"]
        title = command or ", ".join(paths or patterns)
        return [
            self._event(
                PERMISSION,
                session,
                raw,
                id=str(properties.get("id", "")),
                name=name,
                title=title,
                paths=paths,
                data=data,
            )
        ]

    def _question(self, properties: Raw, session: str, raw: Raw) -> list[Event]:
        if not self._is_new(properties):
            return []
        questions = [_map(one) for one in _list(properties.get("questions"))]
        title = " / ".join(str(question.get("question", "")) for question in questions)
        return [
            self._event(
                QUESTION, session, raw, id=str(properties.get("id", "")), title=title, data={"questions": questions}
            )
        ]

    def _status(self, properties: Raw, session: str, raw: Raw) -> list[Event]:
        status = _map(properties.get("status"))
        kind = str(status.get("type", ""))
        if session != self.root:
            return []
        if kind == RETRY:
            self._texts.pop(self._last_message, None)  # the half answer of the failed try is void
            said = _plain(status.get("message"))
            data = {"attempt": status.get("attempt", 0), "next": status.get("next", 0), "message": said}
            return [self._event(STATUS, session, raw, text=RETRY, title=said, data=data)]
        if kind == BUSY and not self.busy:
            self.busy = True
            return [self._event(STATUS, session, raw, text=BUSY)]
        return []

    def _error(self, properties: Raw, session: str, _raw: Raw) -> list[Event]:
        if session == self.root and properties.get("error"):
            self._fail(_map(properties["error"]))
        return []

    def _fail(self, error: Raw) -> None:
        data = _map(error.get("data"))
        self.failure = _plain(data.get("message") or error.get("name")) or "the agent reports an error without words"
        self.failure_data = {"name": str(error.get("name", "")), "status": data.get("statusCode")}

    def _is_new(self, properties: Raw) -> bool:
        asked = str(properties.get("id", ""))
        if not asked or asked in self._asked:
            return False
        self._asked.add(asked)
        return True

    def _event(self, kind: str, session: str, raw: Raw, **fields: Any) -> Event:
        data = dict(fields.pop("data", {}))
        if session != self.root:
            data["subagent"] = True
        return Event(kind=kind, agent_session=session, raw=raw, data=data, **fields)


def _map(value: Any) -> Raw:
    """The value where it is an object, else an empty one: a form that is not known says nothing."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _plain(message: Any) -> str:
    """The sentence; OpenCode passes an error inside a stream on as the JSON it came in."""
    text = str(message or "")
    if text.startswith("{"):
        try:
            inner = msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
        return str((_map(_map(inner).get("error")) or _map(inner)).get("message") or text)
    return text


def is_idle(raw: Raw, root: str) -> bool:
    """Whether this event says that the root session's turn is over."""
    properties = _map(raw.get("properties"))
    if properties.get("sessionID") != root:
        return False
    status = _map(properties.get("status")).get("type")
    return raw.get("type") == "session.idle" or (raw.get("type") == "session.status" and status == "idle")


_HANDLERS: Final[dict[str, Any]] = {
    "message.updated": Translator._message,
    "message.part.updated": Translator._part,
    "message.part.delta": Translator._delta,
    "permission.asked": Translator._permission,
    "question.asked": Translator._question,
    "session.status": Translator._status,
    "session.error": Translator._error,
}


def _title(tool: str, given: Raw) -> str:
    for name in ("command", "filePath", "pattern", "path", "url", "description", "name"):
        if isinstance(given.get(name), str):
            return f"{given[name]}"
    return tool


def _paths(given: Raw) -> tuple[str, ...]:
    return tuple(str(given[name]) for name in _PATH_KEYS if isinstance(given.get(name), str))


def _meant(access: str, name: str, patterns: list[str], metadata: Raw, given: Raw) -> tuple[str, ...]:
    """The files that a permission is about: absolute where OpenCode says so, else relative to the folder."""
    if access not in (READ, WRITE):
        return ()
    if isinstance(metadata.get("files"), list):  # apply_patch: its `filepath` is a list in one string
        both = [file.get(key) for file in metadata["files"] for key in ("filePath", "movePath")]
        return tuple(path for path in both if isinstance(path, str)) or tuple(patterns)
    for holder in (metadata, given):
        for key in ("filepath", *_PATH_KEYS):
            if isinstance(holder.get(key), str):
                return (str(holder[key]),)
    if name == _OUTSIDE:
        return tuple(pattern.removesuffix("/*") or "/" for pattern in patterns)
    return tuple(patterns)
