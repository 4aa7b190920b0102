"""Blank text blocks of the Messages dialect are taken out, and an empty message gets a full stop."""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_BLANK_TEXT
from moor.gateway.filters.base import Draft, Filter
from moor.gateway.filters.texts import FILLER, is_blank, may_be_blank
from moor.gateway.filters.turns import read_turns
from moor.wire.splice import array, elements, encode, value

_SMALL: Final = 16 * 1024
"""below it one search of the body is cheaper than a reading of its messages"""
_MARKABLE: Final = ("text", "image", "document", "tool_use", "tool_result")


def apply(draft: Draft) -> bool:
    """Repair `messages` and `system`; each message is repaired alone, so that a prefix keeps its bytes."""
    body = draft.index.body
    if len(body) < _SMALL and not draft.changes and not may_be_blank(body):
        return False
    turns = read_turns(draft)
    changed = False
    if turns is not None and turns.blanks:
        items = elements(draft.view("messages") or b"") or []
        for place in turns.blanks:
            items[place] = _message(bytes(items[place]))
        draft.set("messages", array(items))
        changed = True
    system = draft.get("system")
    return (system is not None and _system(draft, value(system))) or changed


def _message(raw: bytes) -> bytes:
    message = value(raw)
    if not isinstance(message, dict) or "content" not in message:
        return raw
    content = message["content"]
    if is_blank(content):
        return encode({**message, "content": FILLER})
    if not isinstance(content, list):
        return raw
    kept, changed = _without_blanks(content)
    if kept and not changed:
        return raw
    return encode({**message, "content": kept or [_filler(content)]})


def _without_blanks(blocks: list[Any]) -> tuple[list[Any], bool]:
    """The blocks that say something, and results without those that do not; and whether anything changed."""
    emptied = [_emptied(block) for block in blocks]
    kept, changed = _without_blank_texts(emptied)
    return kept, changed or any(new is not old for new, old in zip(emptied, blocks, strict=True))


def _emptied(block: Any) -> Any:
    """A result without the blank texts in it; the same object where there are none, and what is no result."""
    if (
        not isinstance(block, dict)
        or block.get("type") != "tool_result"
        or not isinstance(block.get("content"), list)
    ):
        return block
    kept, changed = _without_blank_texts(block["content"])
    return _with_content(block, kept) if changed else block


def _without_blank_texts(blocks: list[Any]) -> tuple[list[Any], bool]:
    """Without blank texts; a cache mark of one that goes is kept on the one before it."""
    kept: list[Any] = []
    changed = False
    for block in blocks:
        if isinstance(block, dict) and block.get("type") == "text" and is_blank(block.get("text")):
            changed = True
            _move_mark(block, kept)
        else:
            kept.append(block)
    return kept, changed


def _with_content(block: dict[str, Any], inner: list[Any]) -> dict[str, Any]:
    if inner:
        return {**block, "content": inner}
    return {key: item for key, item in block.items() if key != "content"}


def _move_mark(block: dict[str, Any], kept: list[Any]) -> None:
    if "cache_control" not in block or not kept or not isinstance(kept[-1], dict):
        return
    last: dict[str, Any] = kept[-1]
    if last.get("type") in _MARKABLE and "cache_control" not in last:
        kept[-1] = {**last, "cache_control": block["cache_control"]}


def _filler(blocks: list[Any]) -> dict[str, Any]:
    filler: dict[str, Any] = {"type": "text", "text": FILLER}
    marks = [block["cache_control"] for block in blocks if isinstance(block, dict) and "cache_control" in block]
    return {**filler, "cache_control": marks[-1]} if marks else filler


def _system(draft: Draft, system: Any) -> bool:
    if is_blank(system):
        draft.remove("system")
        return True
    if not isinstance(system, list):
        return False
    kept, changed = _without_blanks(system)
    if changed and kept:
        draft.set("system", encode(kept))
    elif changed:
        draft.remove("system")
    return changed


FILTER: Final = Filter(
    name="blank-text-blocks",
    priority=20,
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_BLANK_TEXT,
    why="agents send blank text blocks back after an empty answer; refused, they brick the session",
    since="0.1.0",
    fields=("messages[].content[text]", "system"),
    apply=apply,
)
