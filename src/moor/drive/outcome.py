"""How a run ended, in words and in an exit code: the ledger knows why a model call failed, the agent does not."""

from __future__ import annotations

import re
import shlex
from typing import Final

import msgspec

from moor.domain.call import CANCELLED, CUT, ERROR, OK, REFUSED, UNREACHABLE
from moor.domain.result import BUDGET, FAILED, Instead, RunError
from moor.errors.base import ExitCode
from moor.errors.run import ModelFailed
from moor.store.db import opened
from moor.store.home import Home

BUDGET_REACHED: Final = "budget-reached"
"""the gateway's word for a call refused at the money cap"""
_ABOUT_MODELS: Final = ("model-not-allowed", "unknown-model", "no-route", "price-unknown")
"""refusals of the gateway's that another model would not meet"""
_UNAUTHENTICATED: Final = 401
_WORDS_MAX: Final = 160
_REFUSALS: Final = 400
"""statuses from here on are no answers"""
_HINTS: Final = {
    403: "ask your workspace administrator for the permission, or take another model: moor models",
    404: "the list of models may be old: moor models --refresh",
    429: "wait a minute, or take another model: moor models",
}
"""what to do about a refusal of the upstream's own, by its status"""


class LastFailure(msgspec.Struct, frozen=True):
    """The newest call of a session that failed."""

    ref: str
    outcome: str
    status: int
    words: str = ""
    """what the upstream or moor said; some agents replace it by a sentence of their own"""


class Ending(msgspec.Struct, frozen=True):
    """Status, error and exit code of a run that did not complete."""

    status: str
    error: RunError
    exit_code: ExitCode


def last_failure(home: Home, session: str) -> LastFailure | None:
    """None when every call went well. BLOCKS on SQLite."""
    if not home.db_path.exists():
        return None
    with opened(home, write=False) as connection:
        row = connection.execute(
            "SELECT error, outcome, status FROM call_groups WHERE session = ? AND outcome NOT IN (?, ?) "
            "ORDER BY last_at DESC LIMIT 1",
            (session, OK, CANCELLED),
        ).fetchone()
    if row is None:
        return None
    ref, _, words = str(row["error"]).partition(":")
    return LastFailure(ref, str(row["outcome"]), int(row["status"]), words.strip())


def answered_instead(home: Home, session: str) -> tuple[Instead, ...]:
    """Which models answered in place of others, and how often. BLOCKS on SQLite."""
    if not home.db_path.exists():
        return ()
    with opened(home, write=False) as connection:
        rows = connection.execute(
            "SELECT asked, model, upstream, SUM(calls) AS calls FROM call_groups WHERE session = ? AND asked <> '' "
            "AND outcome = ? GROUP BY asked, model, upstream ORDER BY asked, MIN(started_at)",
            (session, OK),
        ).fetchall()
    return tuple(Instead(row["asked"], row["model"], row["upstream"], int(row["calls"])) for row in rows)


def broken_end(home: Home, session: str, model: str) -> str:
    """What became of the session's last call of that model, where it broke off in the middle; else empty.

    Some agents take half an answer for a whole one. BLOCKS on SQLite.
    """
    if not home.db_path.exists():
        return ""
    with opened(home, write=False) as connection:
        row = connection.execute(
            "SELECT outcome, status, error FROM call_groups WHERE session = ? AND model = ? "
            "ORDER BY last_at DESC LIMIT 1",
            (session, model),
        ).fetchone()
    if row is None or row["outcome"] not in (CUT, ERROR) or int(row["status"]) >= _REFUSALS:
        return ""
    return str(row["error"]).partition(": ")[2] or str(row["error"]) or "the answer broke off"


def model_error(said: str, upstream: str, cause: LastFailure | None) -> Ending:
    """What an error of a model call means for the run. `said`: as the agent shows it."""
    said = _with_cause(said, cause)
    error = ModelFailed(said=said)
    plain = RunError(error.ref, said, error.hint)
    if cause is None:
        return Ending(FAILED, plain, ExitCode.FAILED)
    if cause.ref == BUDGET_REACHED:
        return Ending(BUDGET, RunError(cause.ref, said, _more_budget(cause.words)), ExitCode.FAILED)
    if _wants_sign_in(cause):
        ref = cause.ref if " " not in cause.ref else "sign-in-needed"
        return Ending(FAILED, RunError(ref, said, f"moor login --upstream {upstream}"), ExitCode.SIGN_IN)
    if cause.outcome == UNREACHABLE:
        return Ending(FAILED, RunError(cause.ref, said, "moor status --check"), ExitCode.UNREACHABLE)
    if cause.outcome == REFUSED:
        hint = "moor models shows what may be called" if cause.ref in _ABOUT_MODELS else "moor status"
        return Ending(FAILED, RunError(cause.ref, said, hint), ExitCode.FAILED)
    hint = _HINTS.get(cause.status, error.hint)
    return Ending(FAILED, RunError(error.ref, said, hint), ExitCode.FAILED)


def _more_budget(words: str) -> str:
    """How to allow more, by the words in which the gateway named the cap."""
    named = re.search(r"\(([^()]+)\)", words)  # the session's own has no name
    if named is not None:
        more = f"moor budget raise {shlex.quote(named[1])}"
    else:
        more = f"moor run --budget-{'tokens' if ' tokens' in words else 'usd'}"
    return f"{more} allows more; moor usage --last shows what it went to"


def _with_cause(said: str, cause: LastFailure | None) -> str:
    """What the agent showed, with the words that came over the wire where it replaced them."""
    words = cause.words[:_WORDS_MAX] if cause is not None else ""
    return said if _squeezed(words) in _squeezed(said) else f"{said.rstrip('.')} ({words})"


def _squeezed(text: str) -> str:
    return "".join(text.split()).lower()


def _wants_sign_in(cause: LastFailure) -> bool:
    """By status or, where the agent was told in another one at which it stops at once, by the reference."""
    if cause.status == _UNAUTHENTICATED or cause.ref == f"upstream {_UNAUTHENTICATED}":
        return True
    from moor.errors import auth

    known = [cls for cls in vars(auth).values() if getattr(cls, "exit_code", None) is ExitCode.SIGN_IN]
    return any(cls.ref == cause.ref for cls in known)
