"""Fits an abstract action to the tools an agent offers.

The tool is found by name, its arguments by the properties of its schema: each action knows the synonyms that
agents use (`filePath`, `file_path`, `path`, …), the schema picks. Tool names: the facts of each agent, section on
what it sends.
"""

from __future__ import annotations

import posixpath
import shlex
from typing import Any, Final

import msgspec

from moor.sim.messages import Json
from moor.sim.script.conversation import Tool
from moor.sim.script.scenario import ASK, EDIT, READ, RUN, SPAWN, WRITE, Action

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    RUN: (
        "bash",
        "Bash",
        "exec_command",
        "run_shell_command",
        "terminal",
        "shell",
        "shell_command",
        "local_shell",
        "execute_command",
        "run_terminal_cmd",
    ),
    READ: ("read", "Read", "read_file", "view", "view_file"),
    WRITE: ("write", "Write", "write_file", "create_file"),
    EDIT: ("edit", "Edit", "replace", "patch", "edit_file", "str_replace"),
    ASK: ("question", "AskUserQuestion", "request_user_input", "clarify", "ask_user", "ask_user_question"),
    SPAWN: ("task", "Task", "Agent", "agent", "delegate", "delegate_task", "spawn_agent", "invoke_agent"),
}
_REPORTS: Final = ("complete_task",)
"""a sub-agent's tool that ends its work; without it Gemini CLI takes the work for undone"""
_PATCH: Final = "apply_patch"
_WAIT: Final = "wait_agent"
_EMPTY: Final[dict[str, Any]] = {"string": "", "boolean": False, "integer": 0, "number": 0, "array": [], "object": {}}


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """One tool call, ready to be written in any dialect."""

    name: str
    arguments: Json = {}
    text: str = ""
    """the input of a free-text tool"""
    free_text: bool = False


def fit(action: Action, tools: tuple[Tool, ...], directory: str) -> Fitted | None:
    """The call that does it with these tools, or None when none can."""
    offered = {tool.name: tool for tool in tools}
    tool = next((offered[name] for name in _NAMES[action.kind] if name in offered), None)
    if tool is None and action.kind == SPAWN:
        tool = next((one for one in tools if one.name.rpartition("__")[2] in _NAMES[SPAWN]), None)
    if tool is None and action.kind in (WRITE, EDIT) and _PATCH in offered:
        return _patch_call(action, offered[_PATCH], directory)
    if tool is None:
        return _by_shell(action, offered, directory)
    return Fitted(name=tool.name, arguments=_shape(_wishes(action, tool, directory), tool.schema))


def waiting(tools: tuple[Tool, ...], result: str) -> Fitted | None:
    """The call that waits for a sub-agent, where the agent starts it and goes on (Codex); `result`: of the start."""
    tool = next((one for one in tools if one.name.rpartition("__")[2] == _WAIT), None)
    if tool is None:
        return None
    try:
        started = msgspec.json.decode(result, type=dict[str, Any])
    except msgspec.DecodeError:
        started = {}
    wishes = {"targets": [str(started.get("agent_id", ""))], "timeout_ms": 60_000}
    return Fitted(name=tool.name, arguments=_shape(wishes, tool.schema))


def report(text: str, tools: tuple[Tool, ...]) -> Fitted | None:
    """The call by which a sub-agent hands in its result, where it has to; else None."""
    tool = next((tool for tool in tools if tool.name in _REPORTS), None)
    if tool is None:
        return None
    texts = dict.fromkeys(("result", "response", "report", "summary"), text)
    properties = tool.schema.get("properties", {})
    wanted = [(name, properties.get(name)) for name in _required(tool.schema)]
    wishes = {name: texts if _kind(schema) == "object" else text for name, schema in wanted}
    return Fitted(name=tool.name, arguments=_shape(wishes, tool.schema))


def _by_shell(action: Action, offered: dict[str, Tool], directory: str) -> Fitted | None:
    """Reading, writing and editing with a shell, for an agent that has nothing but that."""
    shell = next((offered[name] for name in _NAMES[RUN] if name in offered), None)
    if shell is None or action.kind not in (READ, WRITE, EDIT):
        return None
    command = _shell_text(action)
    run = Action(run=command, why=f"{action.kind} a file")
    return Fitted(name=shell.name, arguments=_shape(_wishes(run, shell, directory), shell.schema))


def _shell_text(action: Action) -> str:
    if action.kind == READ:
        return f"cat {shlex.quote(action.read)}"
    if action.kind == WRITE:
        return f"printf %s {shlex.quote(action.content)} > {shlex.quote(action.write)}"
    program = "import sys,pathlib; p,o,n=sys.argv[1:]; f=pathlib.Path(p); f.write_text(f.read_text().replace(o,n,1))"
    return shlex.join(["python3", "-c", program, action.edit, action.old, action.new])


def _wishes(action: Action, tool: Tool, directory: str) -> Json:
    """Every argument a tool for this action could ask for, by all its usual names."""
    path = posixpath.normpath(posixpath.join(directory, action.path))
    paths = dict.fromkeys(("filePath", "file_path", "path", "absolute_path", "target_file"), path)
    if action.kind == RUN:
        why = action.why or "run a command"
        return {"command": action.run, "cmd": action.run, "description": why}
    if action.kind == READ:
        return paths
    if action.kind == WRITE:
        return {**paths, "content": action.content, "contents": action.content, "file_text": action.content}
    if action.kind == EDIT:
        old = dict.fromkeys(("oldString", "old_string", "old_str", "oldText", "before"), action.old)
        new = dict.fromkeys(("newString", "new_string", "new_str", "newText", "after"), action.new)
        return {
            **paths,
            **old,
            **new,
            "edits": [{**old, **new}],
            "mode": "replace",
        }
    if action.kind == ASK:
        return _question(action)
    return _delegation(action, tool)


def _question(action: Action) -> Json:
    options = [{"label": text, "description": text, "value": text} for text in action.options or ("yes", "no")]
    one = {
        "id": "sim_question",
        "question": action.ask,
        "header": "Simulated",
        "options": options,
        "multiSelect": False,
        "type": "choice",
    }
    return {"questions": [one], **one, "choices": [option["label"] for option in options]}


def _delegation(action: Action, tool: Tool) -> Json:
    kind = "general-purpose" if "general-purpose" in tool.description else "general"
    return {
        "description": "simulated sub-task",
        "prompt": action.spawn,
        "goal": action.spawn,
        "message": action.spawn,
        "instructions": action.spawn,
        "subagent_type": kind,
        "agent_name": "generalist",
    }


def _patch_call(action: Action, tool: Tool, directory: str) -> Fitted:
    path = action.path.removeprefix(f"{directory}/") if directory else action.path
    if action.kind == WRITE:
        lines = [f"*** Add File: {path}", *("+" + line for line in action.content.splitlines())]
    else:
        lines = [f"*** Update File: {path}", "@@"]
        lines += ["-" + line for line in action.old.splitlines()]
        lines += ["+" + line for line in action.new.splitlines()]
    text = "\n".join(["*** Begin Patch", *lines, "*** End Patch"])
    if tool.free_text:
        return Fitted(name=tool.name, text=text, free_text=True)
    wishes = dict.fromkeys(("patchText", "input", "patch"), text)
    return Fitted(name=tool.name, arguments=_shape(wishes, tool.schema))


def _shape(value: Any, schema: Any) -> Any:
    """The wish cut down to what the schema knows, its required rest filled with neutral values."""
    if isinstance(value, str) and _kind(schema) == "array":
        return ["bash", "-lc", value]
    if isinstance(value, list) and isinstance(schema, dict) and "items" in schema:
        return [_shape(item, schema["items"]) for item in value]
    if isinstance(value, dict) and _kind(schema) == "string":
        return value.get("label", "")
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(value, dict) or not isinstance(properties, dict):
        return value
    shaped = {key: _shape(wish, properties[key]) for key, wish in value.items() if key in properties}
    for key in _required(schema):
        shaped.setdefault(key, _neutral(properties.get(key)))
    return shaped


def _required(schema: Json) -> list[str]:
    named = schema.get("required")
    return [key for key in named if isinstance(key, str)] if isinstance(named, list) else []


def _neutral(schema: Any) -> Any:
    options = schema.get("enum") if isinstance(schema, dict) else None
    if isinstance(options, list) and options:
        return options[0]
    return _EMPTY.get(_kind(schema), "")


def _kind(schema: Any) -> str:
    """The schema's type in lower case (Gemini writes it in capitals); "" when it names none."""
    kind = schema.get("type", "") if isinstance(schema, dict) else ""
    return str(kind[0] if isinstance(kind, list) and kind else kind).lower()
