"""What each session has spent, in memory: what the ledger said at the start plus what passed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moor.domain.models import NANO
from moor.wire import refusal as words
from moor.wire.refusal import Refusal

if TYPE_CHECKING:
    from moor.domain.session import Session
    from moor.gateway.ports import KeyLookup


class BudgetBook:
    """The money cap in its simple form: once the sum has reached the cap the next call is refused."""

    def __init__(self, keys: KeyLookup) -> None:
        self._keys = keys
        self._spent: dict[str, int] = {}

    def spent(self, session_id: str) -> int:
        """Nano-dollars so far."""
        spent = self._spent.get(session_id)
        return self._keys.spent_nano(session_id) if spent is None else spent

    def add(self, session_id: str, cost_nano: int | None) -> None:
        """Count a finished call."""
        if cost_nano:
            self._spent[session_id] = self.spent(session_id) + cost_nano

    def allows(self, session: Session) -> bool:
        """Whether the session may call now."""
        cap = session.budget_nano
        return cap is None or self.spent(session.id) < cap

    def refusal(self, session: Session, status: int) -> Refusal:
        """Why it may not."""
        cap, spent = session.budget_nano or 0, self.spent(session.id)
        return Refusal(
            status=status,
            ref="budget-reached",
            message=f"this session has spent {dollars(spent)} of its {dollars(cap)} cap",
            hint="start one with a larger cap: moor --budget-usd X AGENT (what was spent: moor usage --last)",
            cause=words.BUDGET,
        )


def dollars(nano: int) -> str:
    """`$1.25`: two to six decimals, without a trailing run of zeros (agents take some digit groups for a status)."""
    text = f"{nano / NANO:.6f}".rstrip("0")
    whole, _, rest = text.partition(".")
    return f"${whole}.{rest:0<2}" if rest else f"${whole}"
