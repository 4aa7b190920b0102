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


class Counted:
    """Tokens that count in a window: of a call that runs as many as its request seems to have, else what it used."""

    __slots__ = ("at", "tokens")

    def __init__(self, at: float, tokens: int) -> None:
        self.at = at
        self.tokens = tokens


class RateBook:
    """The last minute of each key."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}

    def enter(self, key: str, rates: Rates, tokens: int, now: float) -> tuple[float, Counted | None]:
        """0 and what counts from now on, where a call with about that many input tokens may go on; else seconds to
        wait. The caller hands what counts to `used` at the call's end."""
        window = self._windows.setdefault(key, _Window())
        window.forget(now)
        waits = [0.0]
        if rates.rpm is not None:
            waits.append(window.until_calls_below(rates.rpm, now))
        if rates.tpm is not None:
            # one call above the whole limit could never pass: it may where nothing else counts
            waits.append(window.until_tokens_below(max(0, rates.tpm - min(tokens, rates.tpm)), now))
        wait = max(waits)
        if wait > 0:
            return wait, None
        window.calls.append(now)
        return 0.0, window.add(tokens, now)

    def used(self, key: str, counted: Counted, tokens: int, now: float) -> None:
        """The call that `enter` let in has ended, and used that many tokens."""
        self._windows[key].replace(counted, tokens, now)


class _Window:
    def __init__(self) -> None:
        self.calls: deque[float] = deque(maxlen=_MAX_EVENTS)
        self._tokens: deque[Counted] = deque()
        self._sum = 0

    def add(self, tokens: int, now: float) -> Counted:
        if len(self._tokens) >= _MAX_EVENTS:
            self._drop()
        counted = Counted(now, tokens)
        self._tokens.append(counted)
        self._sum += tokens
        return counted

    def replace(self, counted: Counted, tokens: int, now: float) -> None:
        self._sum -= counted.tokens
        counted.tokens = 0
        if tokens:
            self.add(tokens, now)

    def _drop(self) -> None:
        counted = self._tokens.popleft()
        self._sum -= counted.tokens
        counted.tokens = 0

    def forget(self, now: float) -> None:
        since = now - WINDOW_S
        while self.calls and self.calls[0] <= since:
            self.calls.popleft()
        while self._tokens and self._tokens[0].at <= since:
            self._drop()

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
        for counted in self._tokens:
            left -= counted.tokens
            if left <= limit:
                return max(0.0, counted.at + WINDOW_S - now)
        return WINDOW_S


def retry_after(wait_s: float) -> bytes:
    """Whole seconds, at least one, as the header takes them."""
    return b"%d" % max(1, math.ceil(wait_s))
