"""Keys of newer Messages APIs that the workspace does not know are taken out (facts/databricks 2.7 row 8).

`context_management`, `defer_loading` of a tool, `cache_control` of a thinking block, `scope` of a cache mark; what
else is unknown stays, so that the workspace's own refusal reaches the agent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_UNKNOWN_BODY_KEYS
from moor.gateway.filters.base import Draft, Filter
from moor.gateway.filters.turns import SMALL, read_turns
from moor.wire.splice import array, elements, encode, map_elements, members, obj, value
from moor.wire.words import holds, holds_any

if TYPE_CHECKING:
    from collections.abc import Callable

_CONTEXT: Final = "context_management"
_DEFER: Final = "defer_loading"
_MARK: Final = "cache_control"
_MARK_WORD: Final = b'"cache_control"'
_SCOPE: Final = "scope"
_THINKING: Final = ("thinking", "redacted_thinking")
_IN_TOOL: Final = (b'"defer_loading"', b'"scope"')
_IN_BLOCK: Final = (b'"scope"', b'thinking"')


def apply(draft: Draft) -> bool:
    """Repair the body, message by message and tool by tool."""
    changed = draft.has(_CONTEXT)
    if changed:
        draft.remove(_CONTEXT)
    for key, words, change in (("tools", _IN_TOOL, _tool), ("system", _IN_BLOCK, _block)):
        changed = _repair(draft, key, words, change) or changed
    return _repair_messages(draft) or changed


def _repair(draft: Draft, key: str, words: tuple[bytes, ...], change: Callable[[bytes], bytes]) -> bool:
    raw = draft.get(key)
    if raw is None or not raw.startswith(b"[") or not holds_any(raw, words):
        return False
    repaired = map_elements(raw, change)
    if repaired is not None:
        draft.set(key, repaired)
    return repaired is not None


def _repair_messages(draft: Draft) -> bool:
    raw = draft.view("messages")
    if raw is None:
        return False
    if len(raw) < SMALL:
        return _repair(draft, "messages", _IN_BLOCK, _message)
    turns = read_turns(draft)  # a search through 1 MB costs as much as a third of this reading, which others need too
    if turns is None or not turns.odd_marks:
        return False
    items = elements(raw) or []
    for place in set(turns.odd_marks):
        items[place] = _message(bytes(items[place]))
    draft.set("messages", array(items))
    return True


def _tool(raw: bytes) -> bytes:
    tool = members(raw) if holds_any(raw, _IN_TOOL) else None
    if tool is None:
        return raw
    kept = {key: item for key, item in tool.items() if key != _DEFER}
    mark = _marked(value(kept[_MARK])) if _MARK in kept else None
    if mark is not None:
        kept[_MARK] = encode(mark)
    return obj(kept) if len(kept) != len(tool) or mark is not None else raw


def _block(raw: bytes) -> bytes:
    found = value(raw) if holds(raw, _MARK_WORD) else None
    after = _plain(found)
    return raw if after is found else encode(after)


def _message(raw: bytes) -> bytes:
    if not holds(raw, _MARK_WORD) or not holds_any(raw, _IN_BLOCK):
        return raw
    message = value(raw)
    if not isinstance(message, dict) or not isinstance(message.get("content"), list):
        return raw
    after = [_plain(block) for block in message["content"]]
    if all(new is old for new, old in zip(after, message["content"], strict=True)):
        return raw
    return encode({**message, "content": after})


def _plain(block: Any) -> Any:
    """A block with a mark that is known; the same object where it is."""
    if not isinstance(block, dict) or _MARK not in block:
        return block
    if block.get("type") in _THINKING:
        return {key: item for key, item in block.items() if key != _MARK}
    mark = _marked(block[_MARK])
    return block if mark is None else {**block, _MARK: mark}


def _marked(mark: Any) -> dict[str, Any] | None:
    """A cache mark without its scope; None where it has none."""
    if not isinstance(mark, dict) or _SCOPE not in mark:
        return None
    return {key: item for key, item in mark.items() if key != _SCOPE}


FILTER: Final = Filter(
    name="unknown-body-keys",
    priority=5,  # before rules that change `messages`, so that one reading of them serves all
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_UNKNOWN_BODY_KEYS,
    why="400: Extra inputs are not permitted; Claude Code sends context_management with every call",
    since="0.1.0",
    fields=(_CONTEXT, f"tools[].{_DEFER}", f"messages[].content[thinking].{_MARK}", f"{_MARK}.{_SCOPE}"),
    trigger=(b'"context_management"', b'"defer_loading"', b'"scope"', b'thinking"'),
    apply=apply,
)
