"""Numbers in sentences that an agent takes for a status, and how they are told all the same.

OpenCode searches the text of an error for 429, 500, 502, 503, 504 and 524, inside longer numbers and ids too, and
asks five times again where it finds one (facts/opencode 9). So such a number gets a sign between its digits that
nobody sees; `as_meant` takes it out again.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

_STATUS: Final = re.compile("4(?=29)|5(?=0[0234]|24)")
_ERROR_DATA: Final = re.compile(rb'(?m)^data: ?([^\r\n]*"error" ?:(?! ?null)[^\r\n]*)')
"""inside a text the quotes would be escaped"""
_JOINER: Final = "\N{WORD JOINER}"
_JOINED: Final = re.compile(f"(?<=[45]){_JOINER}(?=[02])")


def parted(text: str) -> str:
    """The text, in which no number is taken for a status."""
    return _STATUS.sub(rf"\g<0>{_JOINER}", text)


def as_meant(text: str) -> str:
    """A text in which an agent repeats a sentence of ours, without the signs in its numbers."""
    return _JOINED.sub("", text) if _JOINER in text else text


def parted_body(body: bytes) -> bytes:
    """An upstream's error as `parted` would tell it, in all of its JSON; the same bytes where there is nothing."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body
    if _STATUS.search(text) is None:
        return body
    try:
        return msgspec.json.encode(_parted(msgspec.json.decode(body)))
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return parted(text).encode()


def parted_events(block: bytes) -> bytes:
    """Whole events of a stream, with what those of them that tell an error say as `parted_body` tells it."""
    return _ERROR_DATA.sub(lambda found: b"data: " + parted_body(found[1]), block)


def _parted(value: Any) -> Any:
    if isinstance(value, str):
        return parted(value)
    if isinstance(value, list):
        return [_parted(item) for item in value]
    if isinstance(value, dict):
        return {parted(key): _parted(item) for key, item in value.items()}
    if isinstance(value, int | float) and _STATUS.search(str(value)):
        return parted(str(value))
    return value
