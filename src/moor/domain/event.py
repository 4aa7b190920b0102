"""What happens in a headless session, one model for all agents, shaped on ACP's names."""

from __future__ import annotations

from typing import Any

import msgspec

MESSAGE = "agent_message_chunk"
THOUGHT = "agent_thought_chunk"
TOOL_CALL = "tool_call"
TOOL_UPDATE = "tool_call_update"
PERMISSION = "request_permission"
QUESTION = "request_answer"
STATUS = "status"
ERROR = "error"
TURN_END = "turn_end"


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One event. `raw` keeps the agent's own event."""

    kind: str
    text: str = ""
    """chunk of a message or thought; sentence of an error; word of a status"""
    id: str = ""
    """tool call id, permission id or question id"""
    name: str = ""
    """tool name as the agent says it"""
    title: str = ""
    """one line that tells a person what the tool does"""
    status: str = ""
    """of a tool call: `pending`, `in_progress`, `completed`, `failed`; of the turn: its stop reason"""
    paths: tuple[str, ...] = ()
    """files a tool call touches"""
    data: dict[str, Any] = {}
    """input and output of a tool, patterns of a permission, options of a question"""
    agent_session: str = ""
    raw: Any = None
