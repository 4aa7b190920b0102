"""Server-sent events with a JSON object as their data, changed one by one. What is not touched keeps its bytes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from moor.wire.splice import encode, value

if TYPE_CHECKING:
    from collections.abc import Callable

_BOUNDARY: Final = re.compile(rb"((?>\r\n|\n|\r){2,})")
_DATA: Final = re.compile(rb"^data:[ ]?(.*)$", re.MULTILINE)


def map_events(block: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    """A block of whole events with the data of each passed through `change`; the very same object where nothing
    changed. Events whose data stands on several lines pass as they are."""
    pieces = _BOUNDARY.split(block)
    touched = False
    for place in range(0, len(pieces) - 1, 2):
        after = _mapped(pieces[place], change)
        touched = touched or after is not pieces[place]
        pieces[place] = after
    return b"".join(pieces) if touched else block


def _mapped(event: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    lines = list(_DATA.finditer(event))
    found = value(lines[0][1].strip()) if len(lines) == 1 else None
    if not isinstance(found, dict):
        return event
    after = change(found)
    if after is found:
        return event
    start, end = lines[0].span()
    return b"%bdata: %b%b" % (event[:start], encode(after), event[end:])
