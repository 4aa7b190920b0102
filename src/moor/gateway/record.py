"""The ledger's row of one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.domain.call import Call, Try
from moor.domain.cost import cost_nano
from moor.domain.usage import Usage
from moor.gateway.known import known_of
from moor.secrets import redact

if TYPE_CHECKING:
    from moor.domain.models import Model
    from moor.domain.session import Session
    from moor.gateway.request import Request

_NOTHING: Final = Usage()


class Record:
    """What is known of a call while it runs; `call` makes the row."""

    def __init__(
        self,
        call_id: str,
        session: Session,
        started_at: float,
        started_mono: float,
        dialect: str = "",
        agent_session: str = "",
        parent_session: str = "",
        model: Model | None = None,
        model_id: str = "",
        request_bytes: int = 0,
        response_bytes: int = 0,
        first_byte_ms: int | None = None,
        attempts: int = 0,
        status: int = 0,
        stream: bool = False,
        outcome: str = "",
        error: str = "",
        rules: tuple[str, ...] = (),
        usage: Usage = _NOTHING,
        estimated: bool = False,
        asked: str = "",
        tries: tuple[Try, ...] = (),
        draws: tuple[tuple[int, int], ...] = (),
    ) -> None:
        self.id = call_id
        self.session = session
        self.started_at = started_at
        self.started_mono = started_mono
        self.dialect = dialect
        self.agent_session = agent_session
        self.parent_session = parent_session
        self.model = model
        self.model_id = model_id
        self.request_bytes = request_bytes
        self.response_bytes = response_bytes
        self.first_byte_ms = first_byte_ms
        self.attempts = attempts
        self.status = status
        self.stream = stream
        self.outcome = outcome
        self.error = error
        self.rules = rules
        self.usage = usage
        self.estimated = estimated
        self.asked = asked
        self.tries = tries
        self.draws = draws

    def took(self, model: Model) -> None:
        """Note the model that answers; what the agent asked for too, where that is another."""
        self.model = model
        if model.id != self.model_id:
            self.asked, self.model_id = self.model_id, model.id

    def cost(self) -> int | None:
        """Nano-dollars; None where no price is known."""
        price = self.model.price if self.model is not None else None
        return cost_nano(self.usage, price) if self.usage.total else 0

    def call(self, ended_mono: float) -> Call:
        """The row. A call that never reached a model costs nothing, whatever its price."""
        price = self.model.price if self.model is not None else None
        usage, session = self.usage, self.session
        cost = self.cost()
        source, date = (price.source, price.date) if price is not None else ("", "")
        # fmt: off
        return Call(  # all fields in their order: by name they would take four times as long
            self.id, session.id, session.agent, self.agent_session, self.parent_session, session.upstream,
            self.dialect, self.model_id, self.started_at, self.first_byte_ms,
            int((ended_mono - self.started_mono) * 1000), self.status, self.outcome, self.attempts, self.stream,
            usage, self.estimated, cost, source, date, self.rules, redact(self.error) if self.error else "",
            self.request_bytes, self.response_bytes, session.tags, self.asked, self.tries, self.draws,
        )
        # fmt: on


def open_record(call_id: str, session: Session, request: Request, now: float, mono: float) -> Record:
    """The record of a call that begins."""
    known = known_of(request, session)
    dialect = request.route.dialect if request.route is not None else ""
    return Record(
        call_id, session, now, mono, dialect, known.agent_session, known.parent_session, request_bytes=request.size
    )
