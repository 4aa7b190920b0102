"""What the rules about blank text share."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from moor.wire.words import holds_any

FILLER: Final = "."
"""stands where a message would be empty; as the recorded repair does (facts/databricks 2.7 row 1)"""

_TEXT: Final = msgspec.json.Decoder(str)
_SPACE: Final = 0x20
_BACKSLASH: Final = 0x5C


_MAYBE: Final = re.compile(rb':(?:"["\s\\\x80-\xff]|[ \n\r\t]|\[[] \n]|null)')


def may_be_blank(body: bytes) -> bool:
    """Whether a JSON text can hold a blank string, an empty list or null as a member: a blank string begins with
    its end, a space, an escape, or a byte outside ASCII (wider spaces)."""
    return _MAYBE.search(body) is not None


def is_blank(text: object) -> bool:
    """A string without any visible character."""
    return isinstance(text, str) and not text.strip()


def is_blank_raw(raw: msgspec.Raw) -> bool:
    """The same of a JSON string that is not decoded; its first byte mostly decides."""
    view = memoryview(raw)
    if len(view) < 2:
        return False  # absent
    first = view[1]
    if first != _SPACE and first != _BACKSLASH and len(view) > 2 and first < 0x80:
        return False
    try:
        return not _TEXT.decode(view).strip()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False


_SUSPECT: Final = (b'":""', b'":" ', b'":"\\', b'": ', b":[]", b":null", b'"tool_')


def is_harmless(messages: bytes) -> bool:
    """Whether these messages can hold neither a blank text nor a tool call: by a few searches, for short ones."""
    return not holds_any(messages, _SUSPECT)
