"""The life of a cache mark is taken out, where the upstream refuses it (Messages dialect).

Source: facts/users-ask (litellm#38790): some backends keep a cache for five minutes only and refuse `ttl`. Which
models do at which workspace is not known, so this rule waits for the first refusal of a model that names it; a mark
that is taken keeps its hour.
"""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_CACHE_TTL
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import array, elements, encode, value
from moor.wire.words import holds

_MARK: Final = "cache_control"
_TTL: Final = "ttl"
_WORD: Final = b'"ttl"'
_KEYS: Final = ("tools", "system", "messages")
_DEEP: Final = 3
"""a message, its blocks, and those of a tool's result"""


def apply(draft: Draft) -> bool:
    """Repair tools, system and messages; an item without such a mark keeps its bytes."""
    changed = _of_body(draft)
    for key in _KEYS:
        raw = draft.get(key)
        items = elements(raw) if raw is not None and holds(raw, _WORD) else None
        if items is None:
            continue
        found = False
        for place, item in enumerate(items):
            piece = bytes(item)
            after = _without(piece) if holds(piece, _WORD) else None
            if after is not None:
                items[place] = after
                found = True
        if found:
            draft.set(key, array(items))
            changed = True
    return changed


def _of_body(draft: Draft) -> bool:
    """The mark beside the messages, which asks for one at their end."""
    raw = draft.get(_MARK)
    mark = value(raw) if raw is not None else None
    if not isinstance(mark, dict) or _TTL not in mark:
        return False
    draft.set(_MARK, encode({key: item for key, item in mark.items() if key != _TTL}))
    return True


def _without(raw: bytes) -> bytes | None:
    """An item without the life of its marks; None where it has none."""
    item = value(raw)
    changed = False
    level: list[Any] = [item]
    for _ in range(_DEEP):
        inner: list[Any] = []
        for block in level:
            if not isinstance(block, dict):
                continue
            mark = block.get(_MARK)
            if isinstance(mark, dict) and mark.pop(_TTL, None) is not None:
                changed = True
            content = block.get("content")
            if isinstance(content, list):
                inner += content
        level = inner
    return encode(item) if changed else None


FILTER: Final = Filter(
    name="cache-ttl",
    priority=6,
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_CACHE_TTL,
    told_by=(b"cache_control.ephemeral.ttl", b"cache_control.ttl"),
    why="400: Extra inputs are not permitted; Claude Code asks for an hour where it may",
    since="0.1.0",
    fields=("cache_control.ttl",),
    trigger=(_WORD,),
    apply=apply,
)
