"""The ledger's row of one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moor.domain.call import Call
from moor.domain.usage import Usage, cost_nano
from moor.secrets import redact

if TYPE_CHECKING:
    from moor.domain.models import Model
    from moor.domain.session import Session
    from moor.gateway.request import Request


class Record:
    """What is known of a call while it runs; `call` makes the row."""

    __slots__ = (
        "agent_session",
        "attempts",
        "dialect",
        "error",
        "estimated",
        "first_byte_ms",
        "id",
        "model",
        "model_id",
        "outcome",
        "parent_session",
        "request_bytes",
        "response_bytes",
        "rules",
        "session",
        "started_at",
        "started_mono",
        "status",
        "stream",
        "upstream",
        "usage",
    )

    def __init__(
        self, call_id: str, session: Session, request: Request, started_at: float, started_mono: float
    ) -> None:
        traits = session.traits
        self.id = call_id
        self.session = session
        self.started_at = started_at
        self.started_mono = started_mono
        self.agent_session = _text(request, traits.session_header)
        self.parent_session = _text(request, traits.parent_header)
        self.dialect = request.route.dialect if request.route is not None else ""
        self.upstream = session.upstream
        self.model: Model | None = None
        self.model_id = ""
        self.request_bytes = request.size
        self.response_bytes = 0
        self.first_byte_ms: int | None = None
        self.attempts = 0
        self.status = 0
        self.stream = False
        self.outcome = ""
        self.error = ""
        self.rules: tuple[str, ...] = ()
        self.usage = Usage()
        self.estimated = False

    def call(self, ended_mono: float) -> Call:
        """The row. A call that never reached a model costs nothing, whatever its price."""
        price = self.model.price if self.model is not None else None
        return Call(
            id=self.id,
            session=self.session.id,
            agent=self.session.agent,
            agent_session=self.agent_session,
            parent_session=self.parent_session,
            upstream=self.upstream,
            dialect=self.dialect,
            model=self.model_id,
            started_at=self.started_at,
            first_byte_ms=self.first_byte_ms,
            duration_ms=int((ended_mono - self.started_mono) * 1000),
            status=self.status,
            outcome=self.outcome,
            attempts=self.attempts,
            stream=self.stream,
            usage=self.usage,
            estimated=self.estimated,
            cost_nano=cost_nano(self.usage, price) if self.usage.total else 0,
            price_source=price.source if price is not None else "",
            price_date=price.date if price is not None else "",
            rules=self.rules,
            error=redact(self.error) if self.error else "",
            request_bytes=self.request_bytes,
            response_bytes=self.response_bytes,
            tags=self.session.tags,
        )


def _text(request: Request, header: str) -> str:
    """A header's value as bounded text; empty where the agent has no such header."""
    if not header:
        return ""
    return request.named.get(header.lower().encode("latin-1", "replace"), b"").decode("latin-1")[:200]
