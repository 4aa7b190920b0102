"""Since when: a span back from now, or a local midnight."""

from __future__ import annotations

import time

import pytest

from moor.errors.config import PeriodInvalidError
from moor.ledger.period import since_epoch

NOW = 1_795_176_000.0


@pytest.mark.parametrize(("text", "seconds"), [("30m", 1800), ("24h", 86400), ("7d", 604800), ("2w", 1209600)])
def test_a_span_counts_back_from_now(text: str, seconds: int) -> None:
    assert since_epoch(text, NOW) == NOW - seconds


def test_a_date_is_its_local_midnight_and_today_is_one() -> None:
    today = time.strftime("%Y-%m-%d", time.localtime(NOW))
    assert since_epoch(today, NOW) == since_epoch("today", NOW) <= NOW
    assert time.localtime(since_epoch("2026-03-04", NOW))[:6] == (2026, 3, 4, 0, 0, 0)


@pytest.mark.parametrize("text", ["", "yesterday", "7", "d", "-7d", "7y", "2026-13-01", "2026-1", "9999999d", "7d "])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(PeriodInvalidError) as caught:
        since_epoch(text, NOW)
    assert "--since 7d" in caught.value.hint
