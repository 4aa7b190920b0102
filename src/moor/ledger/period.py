"""`7d`, `24h`, `2026-11-01`: since when."""

from __future__ import annotations

import re
import time
from typing import Final

from moor.errors.config import PeriodInvalidError

_UNITS: Final = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_SPAN: Final = re.compile(r"(\d{1,6})([mhdw])")


def since_epoch(text: str, now: float) -> float:
    """Seconds since the epoch. A span counts back from `now`; a date is its local midnight, `today` today's.

    Raises PeriodInvalidError.
    """
    span = _SPAN.fullmatch(text)
    if span:
        return now - int(span.group(1)) * _UNITS[span.group(2)]
    if text == "today":
        text = time.strftime("%Y-%m-%d", time.localtime(now))
    try:
        return time.mktime(time.strptime(text, "%Y-%m-%d"))
    except (ValueError, OverflowError):
        raise PeriodInvalidError(text=text) from None
