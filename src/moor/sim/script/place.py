"""Where in its script a conversation stands, from the request alone.

The address in force is that of the last real prompt; the position is the number of tool results since. A summary
carries both over into a shortened conversation as a marker in its text.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from moor.sim.script.conversation import Conversation, Item, Returned, Said, prompt_text
from moor.sim.script.library import find_address

DEFAULT: Final = "default"
FIX: Final = "fix-test"

_MARKER = re.compile(r"\[sim-progress ([^\s\]]+) (\d+)\]")
_TOLD_RESULT = re.compile(r"(?im)^\s*\[tool[ _-]?result[^\]\n]*\]")
_FIX = re.compile(r"(?i)\b(?:fix|repair|make)\b.{0,60}\btests?\b")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """The script in force and how far it has come."""

    address: str
    results: int
    """tool results since the script was addressed"""
    prompt: str = ""


def find_place(talk: Conversation) -> Place:
    """The place of an ordinary request."""
    address, prompt, start, base = "", "", 0, 0
    marked = False
    for index, item in enumerate(talk.items):
        asked = prompt_text(item)
        named = find_address(asked)
        if named or (asked and not marked):
            address, prompt, start, base = named or _unaddressed(asked, talk), asked, index, 0
        marker = _last_marker(item)
        if marker:
            address, base, start, marked = marker.group(1), int(marker.group(2)), index, True
    results = sum(isinstance(item, Returned) for item in talk.items[start:])
    return Place(address=address or DEFAULT, results=base + results, prompt=prompt)


def told_place(text: str) -> Place | None:
    """The place of a conversation that is told as text, as agents do when they ask for a summary; None if it is none.

    OpenCode 1.18.33 writes `[User]: …` and `[Tool result]: …` lines, then the summary before it.
    """
    results = len(_TOLD_RESULT.findall(text))
    marker = _MARKER.search(text)
    if marker:
        return Place(address=marker.group(1), results=int(marker.group(2)) + results)
    address = find_address(text)
    return Place(address=address, results=results) if address and results else None


def mark(place: Place) -> str:
    """The marker that `find_place` finds again."""
    return f"[sim-progress {place.address} {place.results}]"


def _last_marker(item: Item) -> re.Match[str] | None:
    found = list(_MARKER.finditer(item.text)) if isinstance(item, Said) else []
    return found[-1] if found else None


def _unaddressed(asked: str, talk: Conversation) -> str:
    return FIX if talk.tools and _FIX.search(asked) else DEFAULT
