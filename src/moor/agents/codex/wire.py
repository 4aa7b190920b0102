"""What `codex app-server` says, as events of ours, without I/O. The only file that knows its field names (facts 9).

One `Translator` follows one root thread and the threads of its sub-agents. Requests of the server are kept until they
are answered; those that nobody here can answer are refused at once, for a turn waits for each of them.
"""

from __future__ import annotations

import posixpath
import re
from typing import Any, Final

import msgspec

from moor.agents.base import COMMAND, FETCH, INTERNAL, OTHER, READ, WRITE
from moor.agents.codex.looking import files_looked_at, script_of
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
RETRY: Final = "retry"
"""`Event.text` of a STATUS event while Codex waits to repeat a model call"""
BUSY: Final = "busy"

_STATES: Final = {
    "inProgress": "in_progress",
    "completed": "completed",
    "failed": "failed",
    "declined": "failed",
}
_COMMAND_ITEM: Final = "commandExecution"
_PATCH_ITEM: Final = "fileChange"
_TOOLS: Final = {
    _COMMAND_ITEM: ("exec_command", COMMAND),
    _PATCH_ITEM: ("apply_patch", WRITE),
    "mcpToolCall": ("mcp", OTHER),
    "dynamicToolCall": ("tool", OTHER),
    "collabAgentToolCall": ("agent", INTERNAL),
    "webSearch": ("web_search", FETCH),
    "imageView": ("view_image", READ),
    "imageGeneration": ("image_generation", OTHER),
    "sleep": ("sleep", INTERNAL),
}
"""item type to the tool's name and what it accesses"""
_ASKS_COMMAND: Final = "item/commandExecution/requestApproval"
_ASKS_PATCH: Final = "item/fileChange/requestApproval"
_ASKS_MORE: Final = "item/permissions/requestApproval"
_ASKS_PERSON: Final = "item/tool/requestUserInput"
_ELICITS: Final = "mcpServer/elicitation/request"
_COMMAND_KIND: Final = "command"
_STATUS: Final = re.compile(r"unexpected status \d+[^:]*: (.*), url: \S+", re.DOTALL)
_ATTEMPT: Final = re.compile(r"(\d+)/\d+")
_NOBODY: Final = "Nobody can answer: this session runs without a person. Decide by yourself and go on."


class Translator:
    """State of one turn after another in one root thread."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.turn = ""
        """id of the running turn; empty between turns"""
        self.over = False
        """whether the turn that was begun has ended"""
        self._threads = {root}
        self._told: dict[str, int] = {}
        self._items: dict[str, Raw] = {}
        self._asked: dict[str, Raw] = {}
        self._answer = ""
        self._failure = ""

    def begin(self) -> None:
        """A prompt is about to go."""
        self.turn, self.over, self._answer, self._failure = "", False, "", ""
        self._told.clear()
        self._items.clear()

    def feed(self, raw: Raw) -> list[Event]:
        """Our events for one message of the server's; [] for noise and other threads."""
        params = _map(raw.get("params"))
        method = str(raw.get("method", ""))
        if method == "thread/started":
            thread = _map(params.get("thread"))
            if thread.get("parentThreadId") in self._threads:
                self._threads.add(str(thread.get("id", "")))
            return []
        handler = _HANDLERS.get(method)
        thread_id = str(params.get("threadId", self.root))
        if handler is None or thread_id not in self._threads:
            return []
        events: list[Event] = handler(self, params, thread_id, raw)
        return events

    def is_asked(self, raw: Raw) -> bool:
        """Whether that request waits for an answer of ours; others are to be refused."""
        return _key(raw) in self._asked

    def answer(self, event_id: str, allow: bool, note: str) -> Raw | None:
        """The message that answers a request; None when it was answered before, or is none."""
        raw = self._asked.pop(event_id, None)
        if raw is None:
            return None
        return {"id": raw["id"], "result": _result(raw, allow, note)}

    def _item(self, params: Raw, thread: str, raw: Raw) -> list[Event]:
        item = _map(params.get("item"))
        kind = str(item.get("type", ""))
        if kind == "agentMessage":
            return self._text(MESSAGE, item, thread, raw)
        if kind == "reasoning":
            return self._thought(item, thread, raw)
        if kind in _TOOLS:
            return self._tool(item, thread, raw)
        return []

    def _text(self, kind: str, item: Raw, thread: str, raw: Raw) -> list[Event]:
        """What of a whole message its deltas had not told yet."""
        item_id, whole = str(item.get("id", "")), str(item.get("text") or "")
        if thread == self.root and raw.get("method") == "item/completed":
            self._answer = whole
        rest = whole[self._told.get(item_id, 0) :]
        self._told[item_id] = max(len(whole), self._told.get(item_id, 0))
        return [self._event(kind, thread, raw, text=rest, id=item_id)] if rest else []

    def _thought(self, item: Raw, thread: str, raw: Raw) -> list[Event]:
        """A whole thought, where no delta of it came."""
        item_id = str(item.get("id", ""))
        text = "\n".join(str(part) for part in [*_list(item.get("summary")), *_list(item.get("content"))])
        if not text or self._told.get(item_id):
            return []
        self._told[item_id] = len(text)
        return [self._event(THOUGHT, thread, raw, text=text, id=item_id)]

    def _delta(self, params: Raw, thread: str, raw: Raw) -> list[Event]:
        item_id, text = str(params.get("itemId", "")), str(params.get("delta") or "")
        self._told[item_id] = self._told.get(item_id, 0) + len(text)
        kind = MESSAGE if raw.get("method") == "item/agentMessage/delta" else THOUGHT
        return [self._event(kind, thread, raw, text=text, id=item_id)] if text else []

    def _tool(self, item: Raw, thread: str, raw: Raw) -> list[Event]:
        item_id = str(item.get("id", ""))
        known = item_id in self._items
        self._items[item_id] = item
        name, _ = _tool_of(item)
        event = self._event(
            TOOL_UPDATE if known else TOOL_CALL,
            thread,
            raw,
            id=item_id,
            name=name,
            title=_title(item, name),
            status=_STATES.get(str(item.get("status", "")), "completed"),
            paths=_paths(item),
            data=_told_of(item),
        )
        self._threads.update(str(child) for child in _list(item.get("receiverThreadIds")))
        return [event]

    def _asks_command(self, params: Raw, thread: str, raw: Raw) -> list[Event]:
        item = self._items.get(str(params.get("itemId", "")), {})
        command = script_of(str(params.get("command") or item.get("command") or ""))
        if params.get("kind", _COMMAND_KIND) != _COMMAND_KIND:
            command = ""  # input for a program that runs: what it would do is not known
        data: Raw = {"access": COMMAND, "patterns": [command], "command": command, "call": params.get("itemId", "")}
        if isinstance(params.get("cwd"), str):
            data["cwd"] = params["cwd"]
        if (looked_at := files_looked_at(command)) is not None:
            cwd = str(params.get("cwd") or "")
            data["reads"] = (cwd or ".", *(posixpath.join(cwd, name) for name in looked_at))
        return [self._asks(params, thread, raw, "exec_command", command or str(params.get("kind", "")), data)]

    def _asks_patch(self, params: Raw, thread: str, raw: Raw) -> list[Event]:
        item = self._items.get(str(params.get("itemId", "")), {})
        paths = _paths(item)
        if isinstance(params.get("grantRoot"), str):
            paths = (*paths, params["grantRoot"])
        data = {"access": WRITE, "patterns": list(paths), "call": params.get("itemId", "")}
        return [self._asks(params, thread, raw, "apply_patch", ", ".join(paths), data, paths)]

    def _asks_more(self, params: Raw, thread: str, raw: Raw) -> list[Event]:
        data = {"access": OTHER, "patterns": ["request_permissions"], "call": params.get("itemId", "")}
        return [self._asks(params, thread, raw, "request_permissions", str(params.get("reason") or ""), data)]

    def _elicits(self, params: Raw, thread: str, raw: Raw) -> list[Event]:
        """A call of an MCP tool that wants approval; the driver refuses a form that a server wants filled in."""
        about = _map(params.get("_meta"))
        if not about.get("codex_approval_kind"):
            return []
        name = f"{params.get('serverName', '')}.{about.get('tool_name', '')}"
        data = {"access": OTHER, "patterns": [name], "call": ""}
        return [self._asks(params, thread, raw, name, str(params.get("message") or ""), data)]

    def _asks(
        self, params: Raw, thread: str, raw: Raw, name: str, title: str, data: Raw, paths: tuple[str, ...] = ()
    ) -> Event:
        reason = params.get("reason")
        self._asked[_key(raw)] = raw
        return self._event(
            PERMISSION,
            thread,
            raw,
            id=_key(raw),
            name=name,
            title=title,
            paths=paths,
            data={**data, **({"reason": reason} if reason else {})},
        )

    def _question(self, params: Raw, thread: str, raw: Raw) -> list[Event]:
        questions = [_map(one) for one in _list(params.get("questions"))]
        title = " / ".join(str(question.get("question", "")) for question in questions)
        self._asked[_key(raw)] = raw
        return [self._event(QUESTION, thread, raw, id=_key(raw), title=title, data={"questions": questions})]

    def _error(self, params: Raw, thread: str, raw: Raw) -> list[Event]:
        said = _said(_map(params.get("error")))
        if params.get("willRetry"):
            counted = _ATTEMPT.search(said)
            data = {"attempt": int(counted.group(1)) if counted else 1, "message": said}
            return [self._event(STATUS, thread, raw, text=RETRY, title=said, data=data)]
        if thread == self.root:
            self._failure = said
        return []

    def _turn_started(self, params: Raw, thread: str, raw: Raw) -> list[Event]:
        if thread != self.root:
            return []
        self.turn = str(_map(params.get("turn")).get("id", ""))
        return [self._event(STATUS, thread, raw, text=BUSY)]

    def _turn_completed(self, params: Raw, thread: str, raw: Raw) -> list[Event]:
        turn = _map(params.get("turn"))
        if thread != self.root or (self.turn and turn.get("id") != self.turn):
            return []
        self.turn, self.over = "", True
        status, error = str(turn.get("status", "")), _map(turn.get("error"))
        if status == "interrupted":
            return [self._event(TURN_END, thread, raw, text=self._answer, status="cancelled")]
        if status == "completed" and not error:
            return [self._event(TURN_END, thread, raw, text=self._answer, status="end_turn")]
        said = _said(error) or self._failure or "the agent reports a failed turn without words"
        return [
            self._event(ERROR, thread, raw, text=said, data={"name": str(error.get("codexErrorInfo") or "")}),
            self._event(TURN_END, thread, raw, text=self._answer, status="error"),
        ]

    def _event(self, kind: str, thread: str, raw: Raw, **fields: Any) -> Event:
        data = dict(fields.pop("data", {}))
        if thread != self.root:
            data["subagent"] = True
        return Event(kind=kind, agent_session=thread, raw=raw, data=data, **fields)


_HANDLERS: Final[dict[str, Any]] = {
    "item/started": Translator._item,
    "item/completed": Translator._item,
    "item/agentMessage/delta": Translator._delta,
    "item/reasoning/summaryTextDelta": Translator._delta,
    "item/reasoning/textDelta": Translator._delta,
    _ASKS_COMMAND: Translator._asks_command,
    _ASKS_PATCH: Translator._asks_patch,
    _ASKS_MORE: Translator._asks_more,
    _ASKS_PERSON: Translator._question,
    _ELICITS: Translator._elicits,
    "error": Translator._error,
    "turn/started": Translator._turn_started,
    "turn/completed": Translator._turn_completed,
}


def refusal(raw: Raw) -> Raw:
    """The answer to a request that nobody here can grant."""
    if raw.get("method") == _ELICITS:
        return {"id": raw["id"], "result": {"action": "decline", "content": None, "_meta": None}}
    return {"id": raw["id"], "error": {"code": -32601, "message": "nobody can answer in this session"}}


def _result(raw: Raw, allow: bool, note: str) -> Raw:
    method, params = str(raw.get("method", "")), _map(raw.get("params"))
    if method == _ASKS_PERSON:
        ids = [str(_map(one).get("id", "")) for one in _list(params.get("questions"))]
        return {"answers": {one: {"answers": [note or _NOBODY]} for one in ids}}
    if method == _ASKS_MORE:
        return {"permissions": _map(params.get("permissions")) if allow else {}, "scope": "turn"}
    if method == _ELICITS:
        return {"action": "accept" if allow else "decline", "content": {} if allow else None, "_meta": None}
    return {"decision": "accept" if allow else "decline"}


def _key(raw: Raw) -> str:
    return f"ask-{raw.get('id')}"


def _tool_of(item: Raw) -> tuple[str, str]:
    name, access = _TOOLS[str(item.get("type", ""))]
    if item.get("type") == "mcpToolCall":
        name = f"{item.get('server', '')}.{item.get('tool', '')}"
    elif isinstance(item.get("tool"), str):
        name = item["tool"]
    return name, access


def _title(item: Raw, name: str) -> str:
    if item.get("type") == _COMMAND_ITEM:
        return script_of(str(item.get("command", "")))
    if item.get("type") == _PATCH_ITEM:
        return ", ".join(_paths(item))
    for key in ("query", "path", "prompt"):
        if isinstance(item.get(key), str):
            return str(item[key])
    return name


def _paths(item: Raw) -> tuple[str, ...]:
    """Files of a patch, the names they are moved to among them; of a picture, its path."""
    if item.get("type") == _PATCH_ITEM:
        changes = [_map(change) for change in _list(item.get("changes"))]
        both = [name for one in changes for name in (one.get("path"), _map(one.get("kind")).get("move_path"))]
        return tuple(name for name in both if isinstance(name, str))
    return (item["path"],) if isinstance(item.get("path"), str) else ()


def _told_of(item: Raw) -> Raw:
    """Input and output of a tool."""
    data: Raw = {}
    for ours, theirs in (("input", "arguments"), ("input", "changes"), ("output", "aggregatedOutput")):
        if item.get(theirs) is not None:
            data[ours] = item[theirs]
    if item.get("type") == _COMMAND_ITEM:
        data["input"] = {"command": item.get("command", ""), "cwd": item.get("cwd", "")}
        if item.get("exitCode") is not None:
            data["exit_code"] = item["exitCode"]
    for name in ("result", "error"):
        if item.get(name) is not None:
            data["output" if name == "result" else name] = item[name]
    return data


def _said(error: Raw) -> str:
    """The sentence of an error, with its details where they say more."""
    message, details = _plain(error.get("message")), _plain(error.get("additionalDetails"))
    return f"{message} ({details})" if details and details not in message else message


def _plain(message: Any) -> str:
    """The sentence that the upstream or the gateway said; Codex shows status, body and address around it."""
    text = str(message or "")
    if found := _STATUS.fullmatch(text):
        text = found.group(1)
    if text.startswith("{"):
        try:
            inner = _map(msgspec.json.decode(text))
        except msgspec.DecodeError:
            return text
        return str((_map(inner.get("error")) or inner).get("message") or text)
    return text


def _map(value: Any) -> Raw:
    """The value where it is an object, else an empty one: a form that is not known says nothing."""
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
