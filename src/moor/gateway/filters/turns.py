"""One reading of `messages` (Messages dialect) for all rules about them: ids of calls and results, blank texts.

Only ids are built and only first bytes of texts are looked at, so that a conversation of 1 MB costs 1 ms
instead of the 5 ms of a full parse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from moor.gateway.filters.texts import is_blank_raw, is_harmless

if TYPE_CHECKING:
    from moor.gateway.filters.base import Draft

_NONE: Final = msgspec.Raw()
_EMPTY: Final[frozenset[str]] = frozenset()


class _Block(msgspec.Struct, gc=False):
    type: str = ""
    id: str = ""
    tool_use_id: str = ""
    text: msgspec.Raw = _NONE
    content: msgspec.Raw = _NONE
    cache_control: msgspec.Raw = _NONE


class _Message(msgspec.Struct, gc=False):
    role: str = ""
    content: str | list[_Block] | None = None


_MESSAGES: Final = msgspec.json.Decoder(list[_Message])
_BLOCKS: Final = msgspec.json.Decoder(list[_Block])


class Turns(msgspec.Struct):
    """What the rules must know, by place of the message."""

    calls: list[frozenset[str]]
    """ids of tool calls"""
    results: list[frozenset[str]]
    """ids of calls that are answered"""
    blanks: list[int]
    """places of messages that hold a blank text, or nothing"""
    odd_marks: list[int]
    """places of messages with a cache mark on a thought, or one with a scope"""
    doubles: list[int]
    """places of messages in which an id occurs twice"""
    roles: list[str]

    def first(self, count: int) -> Turns:
        """The same of the first messages only."""
        blanks = [place for place in self.blanks if place < count]
        odd = [place for place in self.odd_marks if place < count]
        doubles = [place for place in self.doubles if place < count]
        return Turns(self.calls[:count], self.results[:count], blanks, odd, doubles, self.roles[:count])

    def are_paired(self) -> bool:
        """Whether each call is answered in the next message and each answer has its call in the one before."""
        before = _EMPTY
        for calls, results in zip(self.calls, self.results, strict=True):
            if results != before:
                return False
            before = calls
        return not before


_NOTHING: Final = Turns([], [], [], [], [], [])
SMALL: Final = 16 * 1024
"""bytes of messages below which a few searches come first; a small one may then be told as holding nothing"""


def read_turns(draft: Draft) -> Turns | None:
    """The turns as they now stand; None where `messages` is of a shape we do not know (the upstream judges it)."""
    kept: Turns | None = draft.memo.get("turns") if draft.is_original("messages") else None
    if kept is None:
        kept = _read(draft)
        if kept is not None and draft.is_original("messages"):
            draft.memo["turns"] = kept
    return kept


def _read(draft: Draft) -> Turns | None:
    raw = draft.view("messages")
    if raw is None:
        return None
    if len(raw) < SMALL and is_harmless(bytes(raw)):
        return _NOTHING
    past = draft.index.past if draft.is_original("messages") else None
    known = past.notes.get("turns") if past is not None else None
    try:
        if past is not None and isinstance(known, Turns):
            turns = _taken(known.first(past.count), past.rest)
        else:
            turns = _taken(Turns([], [], [], [], [], []), raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if draft.is_original("messages"):
        draft.index.notes["turns"] = turns
    return turns


def _taken(turns: Turns, raw: bytes | memoryview) -> Turns:
    """The turns with those of a JSON array of messages behind them."""
    for place, message in enumerate(_MESSAGES.decode(raw), len(turns.roles)):
        turns.roles.append(message.role)
        _take(turns, place, message)
    return turns


def _take(turns: Turns, place: int, message: _Message) -> None:
    calls = results = _EMPTY
    content = message.content
    if isinstance(content, str):
        blank = not content.strip()
    else:
        blank = not content
        for block in content or ():
            kind = block.type
            if kind == "text":
                blank = blank or is_blank_raw(block.text)
            elif kind == "tool_use":
                if block.id in calls:
                    turns.doubles.append(place)
                calls = calls | {block.id}
            elif kind == "tool_result":
                if block.tool_use_id in results:
                    turns.doubles.append(place)
                results = results | {block.tool_use_id}
                blank = blank or _has_blank(block.content)
            if len(memoryview(block.cache_control)) and _is_odd(block):
                turns.odd_marks.append(place)
    turns.calls.append(calls)
    turns.results.append(results)
    if blank:
        turns.blanks.append(place)


def _is_odd(block: _Block) -> bool:
    return block.type.endswith("thinking") or b'"scope"' in bytes(block.cache_control)


def _has_blank(content: msgspec.Raw) -> bool:
    """Whether a result's content is a list with a blank text in it."""
    view = memoryview(content)
    if len(view) < 2 or view[0] != 0x5B:
        return False
    return any(block.type == "text" and is_blank_raw(block.text) for block in _BLOCKS.decode(view))
