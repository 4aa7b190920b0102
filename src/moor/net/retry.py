"""When a read is tried again: facts/databricks 0.4 and 8.5. Pure; the client sleeps."""

from __future__ import annotations

from typing import Final

RETRIED: Final = frozenset({429, 499, 503, 504})
MAX_TRIES: Final = 4


def next_delay(tries: int, status: int, retry_after_s: float | None, left_s: float) -> float | None:
    """Seconds to wait before the next try, or None to give up.

    `tries`: made so far; `left_s`: of the call's budget. A host that asks for more than is left gets no more.
    """
    if status not in RETRIED or tries >= MAX_TRIES:
        return None
    delay = retry_after_s if retry_after_s is not None else 0.25 * 2 ** (tries - 1)
    return delay if delay < left_s else None
