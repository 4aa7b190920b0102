"""The words in which a cap ends a call or refuses the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.domain.budget import DAY, MONEY, MONTH, SESSION
from moor.domain.models import NANO
from moor.gateway.places import status_of
from moor.wire import refusal as words
from moor.wire.refusal import Refusal

if TYPE_CHECKING:
    from moor.domain.budget import Cap
    from moor.domain.session import Session
    from moor.gateway.purse import Purse
    from moor.gateway.spend import Spend

BUDGET_RULE: Final = "budget-limit"
"""in a row: the call's output limit was lowered to what was left"""
_WHO: Final = {SESSION: "this session has", DAY: "today's calls have", MONTH: "this month's calls have"}


def budget_refusal(session: Session, spend: Spend, purse: Purse) -> Refusal:
    """Why a call ends or is not begun."""
    status = status_of(session, words.BUDGET)
    if purse.problem is not None:
        return Refusal(
            status=status,
            ref="budget-unreadable",
            message=f"the budget could not be read, so no call is let through: {purse.problem.message}",
            hint="moor status",
            cause=words.BUDGET,
        )
    from shlex import quote  # most gateways never need it

    return Refusal(
        status=status,
        ref="budget-reached",
        message=_spent(purse, spend) + _why(purse.cap, spend),
        hint=f"a person may look with moor budget show and type moor budget raise {quote(purse.cap.name)}",
        cause=words.BUDGET,
    )


def _why(cap: Cap, spend: Spend) -> str:
    if spend.drawn:
        return ", so this answer was stopped"
    if spend.needed:
        return f", and this call needs at least {amount(cap, spend.needed)}"
    return ", too little is left for an answer with thoughts"


def _spent(purse: Purse, spend: Spend) -> str:
    cap = purse.cap
    key = cap.of_key or cap.key
    who = f"calls of key {key} have" if key else _WHO.get(cap.per, "all calls have")
    where = "".join(f" {word} {name}" for word, name in (("on", cap.upstream), ("labelled", cap.tag)) if name)
    verb = "spent" if cap.unit == MONEY else "used"
    named = "" if cap.name == SESSION or cap.of_key else f" ({cap.name})"
    return f"{who} {verb} {amount(cap, purse.used + spend.drawn)} of {amount(cap, purse.limit)}{where}{named}"


def amount(cap: Cap, value: int) -> str:
    """`$1.25` or `1200 tokens`."""
    return dollars(value) if cap.unit == MONEY else f"{value} tokens"


def dollars(nano: int) -> str:
    """`$1.25`: two to six decimals, without a trailing run of zeros (agents take some digit groups for a status)."""
    text = f"{nano / NANO:.6f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"${whole}.{rest:0<2}" if rest else f"${whole}"
