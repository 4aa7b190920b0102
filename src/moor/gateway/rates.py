"""How much a key may ask in a minute: calls and tokens, in a sliding window. Used on the loop only."""

from __future__ import annotations

import math
from collections import deque
from typing import Final

WINDOW_S: Final = 60.0
_MAX_EVENTS: Final = 100_000
"""a window that would hold more drops its oldest; no limit anybody sets is that high"""


class Rates:
    """Limits of one key; None: none."""

    def __init__(self, rpm: int | None = None, tpm: int | None = None) -> None:
        self.rpm = rpm
        """calls a minute"""
        self.tpm = tpm
        """tokens a minute, cached ones included"""


class RateBook:
    """The last minute of each key."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}

    def wait_s(self, key: str, rates: Rates, tokens: int, now: float) -> float:
        """0 where a call with about that many input tokens may go on, which then counts; else seconds to wait."""
        window = self._windows.setdefault(key, _Window())
        window.forget(now)
        waits = [0.0]
        if rates.rpm is not None:
            waits.append(window.until_calls_below(rates.rpm, now))
        if rates.tpm is not None:
            # one call above the whole limit could never pass: it may where nothing else counts
            waits.append(window.until_tokens_below(max(0, rates.tpm - min(tokens, rates.tpm)), now))
        wait = max(waits)
        if wait <= 0:
            window.calls.append(now)
        return wait

    def used(self, key: str, tokens: int, now: float) -> None:
        """A call of the key ended and had used that many tokens."""
        if tokens and key in self._windows:
            self._windows[key].add(tokens, now)


class _Window:
    def __init__(self) -> None:
        self.calls: deque[float] = deque(maxlen=_MAX_EVENTS)
        self._tokens: deque[tuple[float, int]] = deque(maxlen=_MAX_EVENTS)
        self._sum = 0

    def add(self, tokens: int, now: float) -> None:
        self._tokens.append((now, tokens))
        self._sum += tokens

    def forget(self, now: float) -> None:
        since = now - WINDOW_S
        while self.calls and self.calls[0] <= since:
            self.calls.popleft()
        while self._tokens and self._tokens[0][0] <= since:
            self._sum -= self._tokens.popleft()[1]

    def until_calls_below(self, limit: int, now: float) -> float:
        if len(self.calls) < limit:
            return 0.0
        if not limit:
            return WINDOW_S
        return max(0.0, self.calls[len(self.calls) - limit] + WINDOW_S - now)

    def until_tokens_below(self, limit: int, now: float) -> float:
        left = self._sum
        if left <= limit:
            return 0.0
        for at, tokens in self._tokens:
            left -= tokens
            if left <= limit:
                return max(0.0, at + WINDOW_S - now)
        return WINDOW_S


def retry_after(wait_s: float) -> bytes:
    """Whole seconds, at least one, as the header takes them."""
    return b"%d" % max(1, math.ceil(wait_s))
