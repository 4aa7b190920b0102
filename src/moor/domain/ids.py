"""Identifiers that sort by time and say what they name: `ses_…`, `call_…`, `key_…`."""

from __future__ import annotations

import os
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)

SESSION: Final = "ses"
CALL: Final = "call"
KEY: Final = "key"


def new_id(kind: str, now_s: float | None = None) -> str:
    """`kind_` + 9 characters of time (ms) + 8 random ones, in Crockford's base 32."""
    millis = int((time.time() if now_s is None else now_s) * 1000)
    return f"{kind}_{_ALPHABET[millis >> 40 & 31]}{_eight(millis)}{_eight(int.from_bytes(os.urandom(5), 'big'))}"


def _eight(number: int) -> str:
    """The low 40 bits as 8 characters, two at a time: every model call makes an id."""
    pairs = _PAIRS
    return pairs[number >> 30 & 1023] + pairs[number >> 20 & 1023] + pairs[number >> 10 & 1023] + pairs[number & 1023]
