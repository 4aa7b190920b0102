"""Tool calls of described agents in the words of the Agent Client Protocol, by the description's list of tools."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from moor.agents.acp import AcpTraits
from moor.agents.base import COMMAND, FETCH, INTERNAL, READ, WRITE

if TYPE_CHECKING:
    from moor.domain.settings import AgentSettings

Raw = dict[str, Any]

_KINDS: Final = {READ: "read", WRITE: "edit", COMMAND: "execute", FETCH: "fetch", INTERNAL: "think"}
_FIRST_WORD: Final = re.compile(r"[\w.-]+")
_DEEP: Final = 3
_TOOL_NAME: Final = "toolName"


def acp_traits(name: str, group: AgentSettings) -> AcpTraits:
    """What the description says of the agent's ways in the protocol."""
    tools = dict(group.tools)
    return AcpTraits(
        agent=name,
        mode=group.acp_mode,
        mend=lambda call: mended(call, tools),
        notice=group.notice,
        failed_piece=group.failed_text,
    )


def mended(call: Raw, tools: Mapping[str, str]) -> Raw:
    """The call with its tool's name, and with a kind where the description knows the tool better than the agent.

    The name stands in `_meta` of most agents, else it is the first word of the title.
    """
    name = _named(call.get("_meta"), _DEEP) or _first_word(call.get("title"))
    if name not in tools:
        return call
    return {**call, "name": name, "kind": _KINDS[tools[name]]}


def _first_word(title: Any) -> str:
    found = _FIRST_WORD.match(title) if isinstance(title, str) else None
    return found.group() if found else ""


def _named(meta: Any, deep: int) -> str:
    if not isinstance(meta, dict) or not deep:
        return ""
    name = meta.get(_TOOL_NAME)
    if isinstance(name, str):
        return name
    return next((found for value in meta.values() if (found := _named(value, deep - 1))), "")
