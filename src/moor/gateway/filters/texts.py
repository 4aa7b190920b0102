"""What the rules about blank text share."""

from __future__ import annotations

from typing import Final

FILLER: Final = "."
"""stands where a message would be empty; as the recorded repair does (facts/databricks 2.7 row 1)"""

_AFTER: Final = (b'""', b'" ', b'"\\')


def triggers(*keys: bytes) -> tuple[bytes, ...]:
    """Words one of which stands in every body whose string under one of these keys is blank.

    A blank string is empty, or begins with a space or an escape; JSON writers put nothing or one space
    before it.
    """
    return tuple(b'"%s":%s%s' % (key, gap, start) for key in keys for gap in (b"", b" ") for start in _AFTER)


def is_blank(text: object) -> bool:
    """A string without any visible character."""
    return isinstance(text, str) and not text.strip()
