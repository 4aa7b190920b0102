"""When a call is tried again, when its model is left alone for a while, and what is said when neither helps.

One budget of attempts and time for each call, kept here: agents' own tries are set to their least, because they would
multiply (facts/agents-on-a-strict-wire: sixteen and twenty-one calls for one question). Nothing is tried again once
the agent has got something of an answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from moor.domain.call import ERROR, Try
from moor.wire import refusal as words

if TYPE_CHECKING:
    from collections.abc import Callable

    from moor.gateway.limits import Patience
    from moor.wire.strictness import Headers

LIMITED: Final = 429
AGAIN: Final = frozenset((408, LIMITED, 500, 502, 503, 504, 529))
"""statuses of an upstream that may pass: its own trouble, or too many calls"""
_TROUBLE: Final = re.compile(
    r"(?i)rate.?limit\w*|too many requests|over\s?load\w*|time[sd]?.?out|unavailable|exhausted|try again\w*|retry\w*"
    r"|\b[45]\d\d\b"
)
"""words at which agents ask again, whatever the status says (facts/opencode 9)"""


_FINAL: Final = re.compile(
    rb'"(?:invalid_request_error|permission_error|authentication_error|not_found_error|request_too_large'
    rb'|INVALID_ARGUMENT|PERMISSION_DENIED|UNAUTHENTICATED|NOT_FOUND|invalid_prompt)"'
)


class Failure:
    """Why an attempt brought no answer, and what is told when no other does."""

    def __init__(
        self,
        *,
        cause: str,
        ref: str,
        message: str,
        outcome: str = ERROR,
        status: int = 0,
        hint: str = "",
        wait_s: float | None = None,
        again: bool = True,
    ) -> None:
        self.cause = cause
        self.ref = ref
        self.message = message
        self.outcome = outcome
        self.status = status
        """the upstream's own; 0 where it gave none"""
        self.hint = hint
        self.wait_s = wait_s
        """what the upstream asked for by `Retry-After`"""
        self.again = again
        """another attempt may go better"""


def is_final(data: bytes) -> bool:
    """Whether an error inside an answer is about the request itself, which no further attempt changes."""
    return _FINAL.search(data) is not None


def asked_wait_s(headers: Headers, now: float) -> float | None:
    """`Retry-After` in seconds, its form in milliseconds, or as a date; None where absent or absurd.

    `now`: seconds since the epoch.
    """
    named = dict(headers)
    for name, scale in ((b"retry-after-ms", 1000.0), (b"retry-after", 1.0)):
        value = named.get(name, b"").strip()
        if re.fullmatch(rb"\d{1,9}(\.\d{1,6})?", value):
            return float(value) / scale
    if (asked := named.get(b"retry-after", b"").strip()) and not asked[:1].isdigit():
        from moor.net.retry import date_wait_s

        return date_wait_s(asked.decode("latin-1"), named.get(b"date", b"").decode("latin-1"), now)
    return None


def pause_s(
    failure: Failure, attempts: int, elapsed_s: float, patience: Patience, spread: Callable[[], float]
) -> float | None:
    """Seconds until the next attempt; None where there is none. `spread`: a random number from 0 to 1."""
    if not failure.again or attempts >= patience.attempts:
        return None
    pause = patience.first_pause_s * 2.0 ** (attempts - 1)
    pause *= 0.75 + spread() / 2
    if failure.wait_s is not None:
        pause = max(failure.wait_s, pause if failure.wait_s else 0.0)
    return pause if elapsed_s + pause <= patience.total_s else None


def after(failure: Failure, tries: int) -> str:
    """The sentence when all attempts failed. It has no word at which an agent would ask again."""
    often = f" ({tries} tries)" if tries > 1 else ""
    if failure.status == LIMITED:
        wait = f"; it asks to wait {_span(failure.wait_s)}" if failure.wait_s else ""
        return f"{calm(failure.message)}{often}{wait}"
    return f"{calm(failure.message)}{often}"


def calm(text: str) -> str:
    """The text without the words at which agents ask again."""
    return re.sub(r"\s{2,}", " ", _TROUBLE.sub("…", text)).strip()


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"


class Breaker:
    """One model of one upstream: after some failures in a row it is left alone, then one call tries for all."""

    __slots__ = ("_failures", "_patience", "_rests", "_until", "trying")

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._failures = 0
        self._rests = 0
        self._until = 0.0
        self.trying = False
        """one call is out to see whether it goes again"""

    def wait_s(self, now: float) -> float:
        """0 where a call may go, which may make it the one that tries; else seconds until then."""
        if self._failures < self._patience.trips_after:
            return 0.0
        if now < self._until:
            return self._until - now
        if self.trying:
            return 1.0
        self.trying = True
        return 0.0

    def failed(self, now: float) -> None:
        """An attempt failed."""
        self._failures += 1
        if self._failures >= self._patience.trips_after:
            self._until = now + min(60.0, self._patience.rest_s * 2.0**self._rests)
            self._rests += 1
        self.trying = False

    def began(self) -> None:
        """An answer begins: others may go too, and one more failure is enough to leave the model alone again."""
        self._failures = min(self._failures, self._patience.trips_after - 1)
        self.trying = False

    def worked(self) -> None:
        """An answer came to its end."""
        self._failures = self._rests = 0
        self.trying = False

    @property
    def is_open(self) -> bool:
        """Whether it is left alone now, as far as known."""
        return self._failures >= self._patience.trips_after

    @property
    def failures(self) -> int:
        """In a row."""
        return self._failures


def resting(model: str, upstream: str, breaker: Breaker, wait_s: float) -> Failure:
    """Why a call to a model that is left alone is not made."""
    return Failure(
        cause=words.UNREACHABLE,
        ref="model-resting",
        message=f"model {model} of upstream {upstream} has failed {breaker.failures} times in a row and is left "
        f"alone for {max(1.0, wait_s):.0f} s",
        hint="moor --model names another one",
        again=False,
    )


def tried(model: str, upstream: str, failure: Failure, took_s: float) -> Try:
    """An attempt that failed, for the row."""
    return Try(model, upstream, failure.status, int(took_s * 1000), failure.ref)
