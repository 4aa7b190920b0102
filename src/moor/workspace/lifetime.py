"""When a token is due: pure arithmetic, the times come in. Fact and rule: facts/databricks 8.3."""

from __future__ import annotations

from typing import Final

LEAD_MAX_S: Final = 600.0
LEAD_SHARE: Final = 0.2


def refresh_at(obtained_at: float, expires_at: float) -> float:
    """The time from which on a token is replaced: 10 minutes before its end, or at 80 % of a shorter life."""
    life = max(0.0, expires_at - obtained_at)
    return expires_at - min(LEAD_MAX_S, LEAD_SHARE * life)
