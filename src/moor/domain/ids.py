"""Identifiers that sort by time and say what they name: `ses_…`, `call_…`, `key_…`."""

from __future__ import annotations

import os
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_SIGNS: Final = (_ALPHABET * 8).encode()
"""a sign for each byte: its low five bits"""

_last: Final[list[tuple[int, str]]] = [(0, "")]
_drawn: Final[list[str]] = []
os.register_at_fork(after_in_child=_drawn.clear)

SESSION: Final = "ses"
CALL: Final = "call"
KEY: Final = "key"


def new_id(kind: str, now_s: float | None = None) -> str:
    """`kind_` + 9 characters of time (ms) + 8 random ones, in Crockford's base 32."""
    millis = int((time.time() if now_s is None else now_s) * 1000)
    return f"{kind}_{_time(millis)}{_random()}"


def time_floor(kind: str, at_s: float) -> str:
    """What sorts before every id of that kind that is made at that time or later."""
    return f"{kind}_{_time(int(at_s * 1000))}"


def _time(millis: int) -> str:
    """Kept for the ids of the same millisecond."""
    last = _last[0]
    if last[0] == millis:
        return last[1]
    text = _ALPHABET[millis >> 40 & 31] + _eight(millis)
    _last[0] = (millis, text)  # one step: other threads ask too
    return text


def _random() -> str:
    """Eight random signs; drawn for 64 ids at once, because each draw is a system call of 1 us."""
    try:
        return _drawn.pop()
    except IndexError:  # not asked before: another thread may take the last one in between
        signs = os.urandom(512).translate(_SIGNS).decode("ascii")
        _drawn.extend([signs[at : at + 8] for at in range(8, 512, 8)])
        return signs[:8]


def _eight(number: int) -> str:
    """The low 40 bits as 8 characters, two at a time."""
    pairs = _PAIRS
    return pairs[number >> 30 & 1023] + pairs[number >> 20 & 1023] + pairs[number >> 10 & 1023] + pairs[number & 1023]
