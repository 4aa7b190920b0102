"""`store` and `tools[].function.strict` are taken out on the chat route."""

from __future__ import annotations

from typing import Final

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import REFUSES_STORE_AND_STRICT
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import map_elements, members, obj
from moor.wire.words import holds


def apply(draft: Draft) -> bool:
    """Repair the body and its tools."""
    changed = draft.has("store")
    if changed:
        draft.remove("store")
    tools = draft.get("tools")
    repaired = map_elements(tools, _tool) if tools is not None and b'"strict"' in tools else None
    if repaired is not None:
        draft.set("tools", repaired)
    return changed or repaired is not None


def _tool(raw: bytes) -> bytes | None:
    tool = members(raw) if holds(raw, b'"strict"') else None
    function = members(tool["function"]) if tool is not None and "function" in tool else None
    if tool is None or function is None or "strict" not in function:
        return raw
    kept = {key: item for key, item in function.items() if key != "strict"}
    return obj({**tool, "function": obj(kept)})


FILTER: Final = Filter(
    name="store-and-strict",
    priority=30,
    dialects=(OPENAI_CHAT,),
    quirk=REFUSES_STORE_AND_STRICT,
    why="the chat route answers 400 to both",
    since="0.1.0",
    fields=("store", "tools[].function.strict"),
    apply=apply,
)
