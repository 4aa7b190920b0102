"""`eager_input_streaming` is taken out of the tools; OpenCode 1.18.33 puts it into every one."""

from __future__ import annotations

from typing import Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_EAGER_INPUT_STREAMING
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import map_elements, members, obj
from moor.wire.words import holds

_KEY: Final = "eager_input_streaming"
_WORD: Final = b'"eager_input_streaming"'


def apply(draft: Draft) -> bool:
    """Repair `tools`."""
    tools = draft.get("tools")
    repaired = map_elements(tools, _tool) if tools is not None else None
    if repaired is None:
        return False
    draft.set("tools", repaired)
    return True


def _tool(raw: bytes) -> bytes | None:
    tool = members(raw) if holds(raw, _WORD) else None
    if tool is None or _KEY not in tool:
        return raw
    return obj({key: item for key, item in tool.items() if key != _KEY})


FILTER: Final = Filter(
    name="eager-input-streaming",
    priority=30,
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_EAGER_INPUT_STREAMING,
    why="the gateway's validator answers 400: Extra inputs are not permitted",
    since="0.1.0",
    fields=("tools[].eager_input_streaming",),
    where="tools",
    trigger=(_WORD,),
    apply=apply,
)
