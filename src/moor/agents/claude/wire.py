"""Claude Code's stream-json to our events, without I/O. The only file that knows its field names (facts, 8 and 9).

Text comes twice, in pieces (`stream_event`) and whole (`assistant`, one event per block); it is told once. Every
tool is asked about twice: by the hook that moor registers, before each use, and by `can_use_tool` where Claude Code
itself would ask a person. The hook decides; the second question is answered the same way.
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

HOOK: Final = "moor"
"""our name of the hook that is called before each use of a tool"""
QUESTION_TOOL: Final = "AskUserQuestion"
RETRY: Final = "retry"
"""`Event.text` of a STATUS event while it waits to repeat a model call"""
BUSY: Final = "busy"
_SYNTHETIC: Final = "<synthetic>"
"""the model of a message that Claude Code writes itself, to show an error"""
_ACCESS: Final = {
    "Bash": COMMAND,
    **dict.fromkeys(("Edit", "Write", "NotebookEdit", "MultiEdit"), WRITE),
    **dict.fromkeys(("Read", "Glob", "Grep", "LS", "LSP"), READ),
    **dict.fromkeys(("WebFetch", "WebSearch"), FETCH),
    **dict.fromkeys(("Agent", "Task", "Skill", "ToolSearch", "TodoWrite", "SendMessage", "ReportFindings"), INTERNAL),
    **dict.fromkeys(("TaskCreate", "TaskGet", "TaskList", "TaskOutput", "TaskStop", "TaskUpdate"), INTERNAL),
    **dict.fromkeys(("EnterPlanMode", "ExitPlanMode", "StructuredOutput", QUESTION_TOOL), INTERNAL),
}
"""tools that are not named here are not known to stay inside: those of MCP servers, schedules, worktrees"""
_OUTPUTS: Final = "tool-results"
_PATH_KEYS: Final = ("file_path", "notebook_path", "path")
_TITLE_KEYS: Final = ("command", *_PATH_KEYS, "pattern", "url", "query", "description", "skill", "prompt")

Raw = dict[str, Any]


class Asked(msgspec.Struct, frozen=True):
    """A question of Claude Code's that waits for an answer."""

    id: str
    """of the control request"""
    kind: str
    """`hook` or `tool`"""
    tool: str
    given: Raw
    call: str
    """id of the tool call"""


class Translator:
    """State of one session, turn after turn. `own`: its private folder, where long outputs of tools are kept."""

    def __init__(self, own: str = "") -> None:
        self.session = ""
        self._own = own
        self.asked: dict[str, Asked] = {}
        self._allowed: set[str] = set()
        self._told: set[str] = set()
        self._block = ""
        self._busy = False
        self._cancelled = False
        self._text = ""

    def begin(self) -> None:
        """A prompt is about to go."""
        self._busy, self._cancelled, self._text, self._block = False, False, "", ""
        self._told.clear()

    def cancelled(self) -> None:
        """The turn is being interrupted: its end is no error."""
        self._cancelled = True

    def feed(self, raw: Raw, now_s: float = 0.0) -> list[Event]:
        """Our events for one of its messages; [] for noise. `now_s`: seconds since the epoch."""
        if raw.get("session_id"):
            self.session = str(raw["session_id"])
        kind = str(raw.get("type", ""))
        if kind == "system":
            return self._system(raw, now_s)
        handler = _HANDLERS.get(kind)
        events: list[Event] = handler(self, raw) if handler is not None else []
        return events

    def answered(self, asked: Asked, *, allow: bool) -> None:
        """What was decided for a tool call holds for the second question about it."""
        if allow and asked.call:
            self._allowed.add(asked.call)

    def _system(self, raw: Raw, now_s: float) -> list[Event]:
        kind = raw.get("subtype")
        if kind == "init" and not self._busy:
            self._busy = True
            return [self._event(STATUS, raw, text=BUSY)]
        if kind == "api_retry":
            status = raw.get("error_status")
            said = f"{raw.get('error') or 'a model call failed'}" + (f" ({status})" if status else "")
            wait_ms = raw.get("retry_delay_ms")
            until = now_s * 1000 + wait_ms if isinstance(wait_ms, int | float) else 0
            data = {"attempt": raw.get("attempt", 0), "next": until, "message": said}
            return [self._event(STATUS, raw, text=RETRY, title=said, data=data)]
        return []

    def _stream(self, raw: Raw) -> list[Event]:
        """A piece of the main agent's text; those of sub-agents come whole."""
        event = _map(raw.get("event"))
        if event.get("type") == "content_block_start":
            self._block = ""
        delta = _map(event.get("delta"))
        for name, kind in (("text", MESSAGE), ("thinking", THOUGHT)):
            if delta.get("type") == f"{name}_delta" and delta.get(name):
                self._block += str(delta[name])
                return [self._event(kind, raw, text=str(delta[name]))]
        if event.get("type") == "content_block_stop" and self._block:
            self._told.add(self._block)
        return []

    def _assistant(self, raw: Raw) -> list[Event]:
        message = _map(raw.get("message"))
        if message.get("model") == _SYNTHETIC:
            return []
        events = []
        for block in _blocks(message):
            kind = block.get("type")
            if kind == "tool_use":
                events.append(self._call(block, raw))
            elif kind in ("text", "thinking"):
                events += self._whole(str(block.get(str(kind)) or ""), str(kind), raw)
        return events

    def _whole(self, text: str, kind: str, raw: Raw) -> list[Event]:
        """A block that was not told in pieces. It arrives before the piece that ends it."""
        if not raw.get("parent_tool_use_id"):
            if kind == "text":
                self._text = text
            if text in (self._block, *self._told):
                return []
        return [self._event(MESSAGE if kind == "text" else THOUGHT, raw, text=text)] if text else []

    def _call(self, block: Raw, raw: Raw) -> Event:
        given = _map(block.get("input"))
        name = str(block.get("name", ""))
        return self._event(
            TOOL_CALL,
            raw,
            id=str(block.get("id", "")),
            name=name,
            title=_title(name, given),
            status="in_progress",
            paths=_paths(given),
            data={"input": given},
        )

    def _user(self, raw: Raw) -> list[Event]:
        events = []
        for block in _blocks(_map(raw.get("message"))):
            if block.get("type") == "tool_result":
                failed = bool(block.get("is_error"))
                output = _plain(block.get("content"))
                events.append(
                    self._event(
                        TOOL_UPDATE,
                        raw,
                        id=str(block.get("tool_use_id", "")),
                        status="failed" if failed else "completed",
                        data={"error" if failed else "output": output},
                    )
                )
        return events

    def _control(self, raw: Raw) -> list[Event]:
        """A question about a tool. One that needs nobody stands in `asked` and yields no event."""
        request = _map(raw.get("request"))
        hook = request.get("subtype") == "hook_callback"
        source = _map(request.get("input")) if hook else request
        asked = Asked(
            id=str(raw.get("request_id", "")),
            kind="hook" if hook else "tool",
            tool=str(source.get("tool_name", "")),
            given=_map(source.get("tool_input" if hook else "input")),
            call=str(source.get("tool_use_id") or request.get("tool_use_id") or ""),
        )
        self.asked[asked.id] = asked
        if self.needs_nobody(asked):
            return []
        if asked.tool == QUESTION_TOOL:
            questions = [_map(one) for one in _list(asked.given.get("questions"))]
            title = " / ".join(str(one.get("question", "")) for one in questions)
            return [self._event(QUESTION, raw, id=asked.id, title=title, data={"questions": questions})]
        return [self._permission(asked, source, raw)]

    def needs_nobody(self, asked: Asked) -> bool:
        """Whether it is allowed without asking: it touches nothing, or it was allowed a moment ago."""
        if asked.kind == "tool" and asked.tool == QUESTION_TOOL:
            return False
        if asked.kind == "tool" and asked.call in self._allowed:
            return True
        access = _ACCESS.get(asked.tool)
        if access != READ:
            return access == INTERNAL
        paths = _paths(asked.given)
        return bool(paths) and all(self._is_own_output(path) for path in paths)

    def _is_own_output(self, path: str) -> bool:
        """Whether it is a long output of this session, which Claude Code puts into a file and reads in parts."""
        inside = path.startswith(f"{self._own}/projects/") and f"/{self.session}/{_OUTPUTS}/" in path
        return bool(self._own and self.session) and inside and ".." not in path.split("/")

    def _permission(self, asked: Asked, source: Raw, raw: Raw) -> Event:
        access = _ACCESS.get(asked.tool, OTHER)
        command = str(asked.given.get("command") or "") if access == COMMAND else ""
        paths = _paths(asked.given) if access in (READ, WRITE) else ()
        data: Raw = {"access": access, "patterns": [_title(asked.tool, asked.given)], "command": command}
        data |= {"call": asked.call, "tool": asked.tool}
        if access in (COMMAND, READ, WRITE) and isinstance(source.get("cwd"), str):
            data["cwd"] = source["cwd"]
        if source.get("agent_id"):
            data["subagent"] = True
        title = command or _title(asked.tool, asked.given)
        return self._event(PERMISSION, raw, id=asked.id, name=asked.tool, title=title, paths=paths, data=data)

    def _cancel_request(self, raw: Raw) -> list[Event]:
        self.asked.pop(str(raw.get("request_id", "")), None)
        return []

    def _result(self, raw: Raw) -> list[Event]:
        """The end of a turn: `subtype` says success for errors of model calls too (facts, trap 6)."""
        said = raw.get("result")
        failed = bool(raw.get("is_error")) or raw.get("subtype") != "success"
        if not failed:
            return [self._event(TURN_END, raw, status="end_turn", text=str(said or self._text))]
        if self._cancelled:
            return [self._event(TURN_END, raw, status="cancelled", text=self._text)]
        data = {"name": str(raw.get("subtype", "")), "status": raw.get("api_error_status")}
        return [
            self._event(ERROR, raw, text=_failure(raw), data=data),
            self._event(TURN_END, raw, status="error", text=self._text),
        ]

    def _event(self, kind: str, raw: Raw, **fields: Any) -> Event:
        data = dict(fields.pop("data", {}))
        if raw.get("parent_tool_use_id"):
            data["subagent"] = True
        return Event(kind=kind, agent_session=self.session, raw=raw, data=data, **fields)


_HANDLERS: Final[dict[str, Any]] = {
    "stream_event": Translator._stream,
    "assistant": Translator._assistant,
    "user": Translator._user,
    "control_request": Translator._control,
    "control_cancel_request": Translator._cancel_request,
    "result": Translator._result,
}


def first_request(request_id: str) -> Raw:
    """The message that opens the protocol and registers the hook for every tool."""
    hooks = {"PreToolUse": [{"matcher": None, "hookCallbackIds": [HOOK], "timeout": 86_400}]}
    return {
        "type": "control_request",
        "request_id": request_id,
        "request": {"subtype": "initialize", "hooks": hooks},
    }


def interruption(request_id: str) -> Raw:
    """The message that stops the running turn."""
    return {"type": "control_request", "request_id": request_id, "request": {"subtype": "interrupt"}}


def user_message(text: str) -> Raw:
    """A prompt."""
    message = {"role": "user", "content": text}
    return {"type": "user", "message": message, "parent_tool_use_id": None, "session_id": "default"}


def reply(asked: Asked, *, allow: bool, note: str) -> Raw:
    """The answer to a question about a tool; `note` is told to the model where it is denied."""
    if asked.kind == "hook":
        decision = {"hookEventName": "PreToolUse", "permissionDecision": "allow" if allow else "deny"}
        response: Raw = {"hookSpecificOutput": {**decision, "permissionDecisionReason": note}}
    elif allow:
        response = {"behavior": "allow", "updatedInput": asked.given}
    else:
        response = {"behavior": "deny", "message": note, "interrupt": False}
    return {
        "type": "control_response",
        "response": {"subtype": "success", "request_id": asked.id, "response": response},
    }


def _title(tool: str, given: Raw) -> str:
    return next((str(given[name]) for name in _TITLE_KEYS if isinstance(given.get(name), str)), tool)


def _paths(given: Raw) -> tuple[str, ...]:
    return tuple(str(given[name]) for name in _PATH_KEYS if isinstance(given.get(name), str))


def _blocks(message: Raw) -> list[Raw]:
    return [block for block in _list(message.get("content")) if isinstance(block, dict)]


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(str(_map(part).get("text", "")) for part in _list(content))


def _map(value: Any) -> Raw:
    """The value where it is an object, else an empty one: a form that is not known says nothing."""
    return value if isinstance(value, dict) else {}


def _failure(raw: Raw) -> str:
    """Why a turn ended in an error, in the best words that there are."""
    words = "; ".join(str(one) for one in _list(raw.get("errors")))
    return str(raw.get("result") or words or raw.get("subtype") or "the agent reports an error without words")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
