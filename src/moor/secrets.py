"""Values that must not be printed, and the masking of those that slip into text.

A token is a `Secret`; `.reveal()` is called at the one line that sends it. Patterns: facts/databricks 8.6.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import re

_SHAPES: Final = (
    r"dapi[0-9a-f]{8,}(?:-\d+)?"
    r"|dose[0-9a-f]{8,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"
    r"|moor-[A-Za-z0-9_-]{20,}"
    r"|\bsk-[A-Za-z0-9_-]{16,}"
    r"|(?<=[Bb]earer )[A-Za-z0-9._~+/=-]{8,}"
    r"|(?<=refresh_token=)[^&\s\"'…]{5,}"
    r"|(?<=client_secret=)[^&\s\"'…]{5,}"
    r"|(?<=code_verifier=)[^&\s\"'…]{5,}"
)


class Secret:
    """A value whose repr, str and format show only its first and last characters."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself. Call it where it is sent, nowhere else."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        import hmac

        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __repr__(self) -> str:
        return f"Secret({self!s})"

    def __str__(self) -> str:
        return mask(self._value)

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        raise TypeError("a Secret is not pickled")


def mask(value: str) -> str:
    """`dapi…3f2a`: four characters at each end of a long value, none of a short one."""
    return f"{value[:4]}…{value[-4:]}" if len(value) >= 16 else "…"


def redact(text: str) -> str:
    """The text with everything that has the shape of a credential masked."""
    return _shapes().sub(lambda found: mask(found.group()), text)


def new_key() -> Secret:
    """A random gateway key, worth nothing anywhere but at our own gateway."""
    return Secret(f"moor-{os.urandom(32).hex()}")


def key_hash(key: str | bytes) -> str:
    """Hex SHA-256 of a key: what is stored and compared; the key itself is random enough to need no salt."""
    import hashlib

    return hashlib.sha256(key.encode() if isinstance(key, str) else key).hexdigest()


@cache
def _shapes() -> re.Pattern[str]:
    """Compiled at first use: a launch that prints nothing does not pay for it (6 ms)."""
    import re

    return re.compile(_SHAPES)
