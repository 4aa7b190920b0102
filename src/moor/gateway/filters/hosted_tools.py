"""Tools that the provider itself would run are taken out of the Messages dialect, where others are left.

Source: facts/databricks 2.7 row 13. A request that is about such a tool alone passes: the workspace's own refusal
says more than an answer made without the tool.
"""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_HOSTED_TOOLS
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import Buffer, array, elements, value
from moor.wire.words import holds_any

_HOSTED: Final = ("web_search_", "web_fetch_", "code_execution_", "tool_search_tool_")
_TRIGGER: Final = (b'"web_', b'"code_execution_', b'"tool_search_tool_')
"""in few words: a short body is searched for each"""


def apply(draft: Draft) -> bool:
    """Repair `tools`."""
    raw = draft.get("tools")
    items = elements(raw) if raw is not None else None
    if items is None:
        return False
    hosted = {place: name for place, item in enumerate(items) if (name := _hosted(item)) is not None}
    if not hosted or len(hosted) == len(items) or _chosen(draft) in hosted.values():
        return False
    draft.set("tools", array([item for place, item in enumerate(items) if place not in hosted]))
    return True


def _hosted(item: Buffer) -> str | None:
    """The name of a hosted tool; None for any other."""
    tool: Any = value(item) if holds_any(bytes(item), _TRIGGER) else None
    if not isinstance(tool, dict) or not str(tool.get("type", "")).startswith(_HOSTED):
        return None
    return str(tool.get("name", ""))


def _chosen(draft: Draft) -> str | None:
    raw = draft.get("tool_choice")
    choice: Any = value(raw) if raw is not None else None
    return choice.get("name") if isinstance(choice, dict) else None


FILTER: Final = Filter(
    name="hosted-tools",
    priority=25,
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_HOSTED_TOOLS,
    why="400: Input tag 'web_search_20250305' found using 'type' does not match any of the expected tags",
    since="0.1.0",
    fields=("tools[hosted]",),
    where="tools",
    trigger=_TRIGGER,
    apply=apply,
)
