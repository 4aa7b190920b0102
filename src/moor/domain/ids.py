"""Identifiers that sort by time and say what they name: `ses_…`, `call_…`, `key_…`."""

from __future__ import annotations

import os
import time
from typing import Final

_ALPHABET: Final = "0123456789abcdefghjkmnpqrstvwxyz"

SESSION: Final = "ses"
CALL: Final = "call"
KEY: Final = "key"


def new_id(kind: str, now_s: float | None = None) -> str:
    """`kind_` + 8 characters of time (ms) + 8 random ones, in Crockford's base 32."""
    millis = int((time.time() if now_s is None else now_s) * 1000)
    stamp = "".join(_ALPHABET[(millis >> shift) & 31] for shift in range(40, -1, -5))
    return f"{kind}_{stamp}{''.join(_ALPHABET[byte & 31] for byte in os.urandom(8))}"
