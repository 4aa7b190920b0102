"""What `moor run` prints with `--json`, on the last line of stdout."""

from __future__ import annotations

import msgspec

from moor.domain.usage import Usage

COMPLETED = "completed"
FAILED = "failed"
CANCELLED = "cancelled"
TIMEOUT = "timeout"
BUDGET = "budget"


class RunError(msgspec.Struct, frozen=True):
    """Why a run did not complete."""

    ref: str
    message: str
    hint: str = ""


class AutoAnswer(msgspec.Struct, frozen=True):
    """A permission or question that a rule answered, because nobody sat there."""

    kind: str
    """`permission` or `question`"""
    what: str
    """e.g. `bash: rm -rf /`"""
    answer: str
    """`allowed`, `denied`, `rejected`"""
    rule: str
    """the rule that decided"""


class Instead(msgspec.Struct, frozen=True):
    """Calls that another model answered than the one that the agent asked for."""

    asked: str
    model: str
    upstream: str
    calls: int


class RunResult(msgspec.Struct, frozen=True, kw_only=True):
    """One headless run, told by the ledger and the agent's events."""

    status: str
    text: str = ""
    session: str = ""
    agent: str = ""
    model: str = ""
    tokens: Usage = Usage()
    cost_usd: float | None = None
    """None: a price is not known"""
    instead: tuple[Instead, ...] = ()
    """where a fallback answered, or another model in place of one for side calls"""
    tool_calls: int = 0
    changed_files: tuple[str, ...] = ()
    auto_answered: tuple[AutoAnswer, ...] = ()
    duration_s: float = 0.0
    warning: str = ""
    """the last thing that the gateway warned of: how far a cap is used, a sign-in that cannot be renewed"""
    error: RunError | None = None
