"""When a read is tried again: facts/databricks 0.4 and 8.5. Pure; the client sleeps."""

from __future__ import annotations

from typing import Final

RETRIED: Final = frozenset({429, 499, 503, 504})
MAX_TRIES: Final = 4


def date_wait_s(asked: str, answered: str, now: float) -> float | None:
    """Seconds until the HTTP date of a `Retry-After`; 0 for one that is past, None for what is no date.

    `answered`: the answer's own `Date`, so that a clock that is wrong here does not count; without it `now` does, in
    seconds since the epoch.
    """
    until, then = _instant(asked), _instant(answered)
    if until is None:
        return None
    return max(0.0, until - (now if then is None else then))


def _instant(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def next_delay(tries: int, status: int, retry_after_s: float | None, left_s: float) -> float | None:
    """Seconds to wait before the next try, or None to give up.

    `tries`: made so far; `left_s`: of the call's budget. A host that asks for more than is left gets no more.
    """
    if status not in RETRIED or tries >= MAX_TRIES:
        return None
    delay = retry_after_s if retry_after_s is not None else 0.25 * 2 ** (tries - 1)
    return delay if delay < left_s else None
