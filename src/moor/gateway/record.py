"""The ledger's row of one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.domain.call import Call, Try
from moor.domain.cost import cost_nano, total
from moor.domain.usage import Usage
from moor.gateway.known import Known, known_of
from moor.secrets import redact

if TYPE_CHECKING:
    from moor.domain.models import Model
    from moor.domain.session import Session
    from moor.gateway.rates import Counted
    from moor.gateway.request import Request

_NOTHING: Final = Usage()


class Record:
    """What is known of a call while it runs; `call` makes the row."""

    def __init__(
        self, call_id: str, session: Session, request: Request, known: Known, started_at: float, started_mono: float
    ) -> None:
        self.id = call_id
        self.session = session
        self._known = known
        self.started_at = started_at
        self.started_mono = started_mono
        self.dialect = request.route.dialect if request.route is not None else ""
        self.agent_session = known.agent_session
        self.parent_session = known.parent_session
        self.upstream = session.upstream
        """of the model that answers"""
        self.model: Model | None = None
        self.model_id = ""
        self.request_bytes = request.size
        self.weight = request.size
        """the bytes that its input is estimated by"""
        self.response_bytes = 0
        self.first_byte_ms: int | None = None
        self.attempts = 0
        self.status = 0
        self.stream = False
        self.outcome = ""
        self.error = ""
        self.rules: tuple[str, ...] = ()
        self.usage = _NOTHING
        self.estimated = False
        self.asked = ""
        self.tries: tuple[Try, ...] = ()
        self.draws: tuple[tuple[int, int], ...] = ()
        self.counted: Counted | None = None
        """what it counts in its key's minute"""
        self._cost: int | None = 0
        self._priced: Usage | None = None
        """the usage that `_cost` is of"""

    def took(self, model: Model, upstream: str) -> None:
        """Note the model that answers, and whose it is; what the agent asked for too, where that is another."""
        self.model = model
        self.upstream = upstream
        self._priced = None
        if model.id != self.model_id:
            self.asked, self.model_id = self.model_id, model.id

    def cost(self) -> int | None:
        """Nano-dollars; None where no price is known."""
        if self._priced is not self.usage:
            price = self.model.price if self.model is not None else None
            self._priced, self._cost = self.usage, cost_nano(self.usage, price) if total(self.usage) else 0
        return self._cost

    def call(self, ended_mono: float) -> Call:
        """The row. A call that never reached a model costs nothing, whatever its price."""
        price = self.model.price if self.model is not None else None
        session_id, agent, tags = self._known.of_rows
        cost = self.cost()
        source, date = (price.source, price.date) if price is not None else ("", "")
        # fmt: off
        return Call(  # all fields in their order: by name they would take four times as long
            self.id, session_id, agent, self.agent_session, self.parent_session, self.upstream,
            self.dialect, self.model_id, self.asked, self.status, self.outcome,
            redact(self.error) if self.error else "", self.attempts, self.stream, self.estimated, source, date,
            self.rules, tags, self.started_at, self.first_byte_ms,
            int((ended_mono - self.started_mono) * 1000), self.request_bytes, self.response_bytes,
            self.usage, cost, self.tries, self.draws,
        )
        # fmt: on


def open_record(call_id: str, session: Session, request: Request, now: float, mono: float) -> Record:
    """The record of a call that begins."""
    return Record(call_id, session, request, known_of(request, session), now, mono)
