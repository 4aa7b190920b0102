"""A plugin that moor puts into the private home of every session. Loaded by Hermes.

It names the session and, in a sub-agent's calls, its parent, in headers that the gateway keeps to itself; and it
states the effort to chat models that take one, which Hermes does for a few services only.

In a driven session it is the gate too: by itself Hermes asks only for edits and for commands that look dangerous
(facts/hermes 8). Its hook before a tool call sees every call of the agent, of its sub-agents and of the scripts of
`execute_code`, before it runs. The question goes out as a permission of the protocol, with all that is known of the
call as JSON in place of the command. A hook that raises is passed over by Hermes, so this one turns everything it
does not understand into a block. It also says that nobody waits after the turn: sub-agents then work within it.
"""

from __future__ import annotations

import importlib
import json
import os
import re
from typing import Any

MARK = "moor-gate"
"""description of the permissions that this plugin asks for"""
SESSION_HEADER = "x-hermes-session"
PARENT_HEADER = "x-hermes-parent"
TOLD = "moor.json"
"""file in Hermes' home: `driven`, `effort`, and `effort_models`, which take it as a field of their requests"""
READY = "gate-ready"
"""file in Hermes' home that says that the plugin was loaded"""
INTERNAL = ("todo", "memory", "session_search", "skills_list", "skill_view", "clarify", "delegate_task")
PATHS = ("path", "image_url", "file_path")
_PATCHED = re.compile(r"^\*\*\*\s+(?:(?:Update|Add|Delete|Move)\s+File|Move\s+to):\s*(.+)$", re.MULTILINE)
_BRIDGE = "acp_adapter.permissions"
_asking: list[Any] = []
_parents: dict[str, str] = {}
_told: dict[str, Any] = {}


def register(ctx: Any) -> None:
    """Called by Hermes when it loads its plugins."""
    ctx.register_hook("subagent_start", spawned)
    ctx.register_middleware("llm_request", labelled)
    home = os.environ["HERMES_HOME"]
    with open(os.path.join(home, TOLD), encoding="utf-8") as file:  # noqa: PTH118, PTH123
        _told.update(json.load(file))
    if not _told["driven"]:
        return
    ctx.register_hook("pre_tool_call", decide)
    with open(os.path.join(home, READY), "w", encoding="utf-8"):  # noqa: PTH118, PTH123
        pass


def spawned(child_session_id: str = "", parent_session_id: str = "", **_: Any) -> None:
    """A sub-agent is about to start."""
    _parents[child_session_id] = parent_session_id


def labelled(request: Any = None, session_id: str = "", **_: Any) -> dict[str, Any] | None:
    """The request with our headers."""
    if not isinstance(request, dict):
        return None
    headers = {**(request.get("extra_headers") or {}), SESSION_HEADER: session_id}
    if session_id in _parents:
        headers[PARENT_HEADER] = _parents[session_id]
    changed = {**request, "extra_headers": headers}
    if request.get("model") in _told.get("effort_models", ()) and "reasoning_effort" not in request:
        changed["reasoning_effort"] = _told["effort"]
    return {"request": changed}


def decide(tool_name: str = "", args: Any = None, task_id: str = "", **_: Any) -> dict[str, str] | None:
    """None lets the call run; a block ends it with words for the model."""
    try:
        importlib.import_module("gateway.session_context").declare_stateless_channel()
        if tool_name in INTERNAL:
            remember()
            return None
        arguments = args if isinstance(args, dict) else {}
        where = folder(task_id)
        call = {"tool": tool_name, "arguments": arguments, "cwd": where, "paths": paths(arguments, where)}
        answer = remember()(command=json.dumps(call, default=str), description=MARK, allow_permanent=False)
    except Exception as error:  # noqa: BLE001 - whatever it is, the call must not run
        return {"action": "block", "message": f"The permission for this call could not be asked: {error}"}
    if answer == "once":
        return None
    return {"action": "block", "message": "Not allowed by the rules of this session. Do not try it in another way."}


def remember() -> Any:
    """The function that asks the client. Sub-agents run on threads that have another one, which denies everything."""
    here = importlib.import_module("tools.terminal_tool")._get_approval_callback()
    if getattr(here, "__module__", "") == _BRIDGE:
        _asking[:] = [here]
    return _asking[0]


def paths(arguments: dict[str, Any], where: str) -> list[str]:
    """Every file the call names, absolute as Hermes means it; a patch may name several."""
    named = [arguments[key] for key in PATHS if isinstance(arguments.get(key), str)]
    for whole in _PATCHED.findall(str(arguments.get("patch") or "")):
        named += whole.split(" -> ")
    return [os.path.join(where, os.path.expanduser(name.strip())) for name in named if name.strip()]  # noqa: PTH111, PTH118


def folder(task_id: str) -> str:
    """Where the task's shell stands: its commands and its relative paths mean this folder."""
    return str(importlib.import_module("tools.file_tools")._resolve_base_dir(task_id or "default"))
