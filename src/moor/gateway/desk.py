"""What all calls of a gateway share, and the first steps of each: index, allowlist, repairs, budget."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from moor.domain.call import OK, Call
from moor.domain.cost import total
from moor.domain.dialects import COUNT_TOKENS, OPENAI_CHAT
from moor.domain.ids import CALL as CALL_ID
from moor.domain.ids import new_id
from moor.domain.watch import OFF
from moor.gateway import routes
from moor.gateway.exchange import Exchange
from moor.gateway.places import status_of
from moor.gateway.prepare import Prepared, named_model, prepare, read_index
from moor.gateway.rates import RateBook, retry_after
from moor.gateway.record import Record, open_record
from moor.wire import refusal as words
from moor.wire.listing import listed, model_body, models_body
from moor.wire.meter.base import BYTES_PER_TOKEN
from moor.wire.refusal import Refusal
from moor.wire.resent import Conversations

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from moor.clock import Clock
    from moor.domain.models import Model
    from moor.domain.session import Session
    from moor.gateway.inbound import Inbound
    from moor.gateway.limits import Limits
    from moor.gateway.metrics import Metrics
    from moor.gateway.payloads import PayloadLog
    from moor.gateway.places import Place
    from moor.gateway.pool import Pool
    from moor.gateway.ports import LedgerSink
    from moor.gateway.purse import PurseBook
    from moor.gateway.rates import Rates
    from moor.gateway.request import Request
    from moor.gateway.routes import Route
    from moor.wire.strictness import Headers

_log = logging.getLogger(__name__)
_JSON: Final[Headers] = [(b"content-type", b"application/json")]


class Desk:
    """The services of one gateway, and where each whole request goes."""

    def __init__(
        self,
        *,
        places: Mapping[str, Place],
        pool: Pool,
        ledger: LedgerSink,
        purses: PurseBook,
        payloads: PayloadLog | None = None,
        metrics: Metrics | None = None,
        rates: Callable[[str], Rates | None] | None = None,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self.pool = pool
        self.clock = clock
        # by itself: a method looked up on the clock costs three times as much, and a call asks ten times
        self.monotonic: Callable[[], float] = clock.monotonic
        self.limits = limits
        self._places = places
        self._ledger = ledger
        self.purses = purses
        self.payloads = payloads
        self._metrics = metrics
        self._rates = rates
        self._rate_book = RateBook()
        self._conversations = Conversations()

    def handle(self, inbound: Inbound, request: Request) -> Exchange | None:
        """Answer a request here, or start its exchange; None when it was answered."""
        route = request.route
        if request.refusal is None and route is not None and route.kind == routes.CALL:
            assert request.session is not None
            mono = self.monotonic()
            now = self.clock.now()
            record = open_record(new_id(CALL_ID, now), request.session, request, now, mono)
            return Exchange(self, inbound, request, request.session, record, mono)
        if request.refusal is not None:
            dialect = route.dialect if route is not None else ""
            allow: Headers = [(b"allow", request.allow.encode())] if request.allow else []
            inbound.refuse(dialect, request.refusal, allow)
            return None
        assert route is not None
        if route.kind == routes.MODELS:
            self._list_models(inbound, request, route)
        elif route.kind == routes.METRICS:
            self._tell_metrics(inbound)
        elif route.kind == routes.HEALTH:
            inbound.reply(200, _JSON, b'{"status":"ok"}')
        else:
            inbound.reply(200, [], b"")
        return None

    def start(self, exchange: Exchange, request: Request, session: Session, fallback: str = "") -> None:
        """Take a call through the steps that come before the upstream. `fallback`: what answers instead."""
        index = read_index(request, session, self._conversations, self.limits.max_body)
        if isinstance(index, Refusal):
            exchange.refuse(index)
            return
        assert request.route is not None
        model_id = named_model(request.route, index) or ""
        exchange.record.model_id = model_id[:200]
        place, answering = self._place_of(session, fallback)
        if place is None:
            exchange.refuse(_no_upstream(session))
            return
        prepared = prepare(request, session, index, place, model_id, answering)
        if isinstance(prepared, Refusal):
            exchange.refuse(prepared)
            return
        refusal = None
        if prepared.action != COUNT_TOKENS:
            refusal = self._check_ledger(session)
        if refusal is None and session.watch.guard != OFF:
            from moor.gateway.guard import guarded

            prepared, refusal = guarded(session, prepared)
        if refusal is not None:
            exchange.refuse(refusal)
        elif not exchange.record.attempts and (wait_s := self._must_wait(exchange.record, session, request)) > 0:
            if self._metrics is not None:
                self._metrics.limited(session.agent)
            exchange.refuse(too_many(session, wait_s), [(b"retry-after", retry_after(wait_s))])
        else:
            exchange.begin(prepared)

    def _place_of(self, session: Session, fallback: str) -> tuple[Place | None, str]:
        """Where a call goes and which model answers; of `UPSTREAM/MODEL` the first part only where it names one."""
        name, slash, model_id = fallback.partition("/")
        if slash and name in self._places:
            return self._places[name], model_id
        return self._places.get(session.upstream), fallback

    def may_answer(self, session: Session, prepared: Prepared, fallback: str) -> bool:
        """Whether that model may answer in place of the prepared call's: another, allowed, served, not resting."""
        place, model_id = self._place_of(session, fallback)
        before = prepared.plan
        if place is None or (place is before.place and model_id == before.model.id):
            return False
        plan = place.plan(session, before.dialect, prepared.action, model_id)
        if isinstance(plan, Refusal) or plan.target is None or plan.model.id != model_id:
            return False
        return not place.breaker(model_id).is_open

    def _must_wait(self, record: Record, session: Session, request: Request) -> float:
        """Seconds until the key may call again; 0 where it may now."""
        rates = self._rates(session.id) if self._rates is not None else None
        if rates is None:
            return 0.0
        tokens = request.size // BYTES_PER_TOKEN
        wait_s, record.counted = self._rate_book.enter(session.id, rates, tokens, self.monotonic())
        return wait_s

    def _tell_metrics(self, inbound: Inbound) -> None:
        if self._metrics is None:
            inbound.refuse(
                "", Refusal(status=404, ref="path-not-served", message="the gateway serves no such path"), []
            )
            return
        from moor.gateway.metrics import CONTENT_TYPE

        inbound.reply(200, [(b"content-type", CONTENT_TYPE.encode())], self._metrics.render())

    def _check_ledger(self, session: Session) -> Refusal | None:
        if self._ledger.healthy:
            return None
        return Refusal(
            status=status_of(session, words.BUDGET),
            ref="ledger-unwritable",
            message="the ledger cannot be written, so no call is let through",
            hint="free disk space or repair the folder, see: moor status",
            cause=words.BUDGET,
        )

    def settle(self, record: Record, *, is_count: bool) -> None:
        """Put the row of a finished call; token counts that went well are not calls of a model."""
        if record.counted is not None:
            self._rate_book.used(record.session.id, record.counted, total(record.usage), self.monotonic())
        if is_count and record.outcome == OK:
            return
        call: Call = record.call(self.monotonic())
        self._ledger.put(call)
        if self._metrics is not None:
            self._metrics.observe(call)

    def _list_models(self, inbound: Inbound, request: Request, route: Route) -> None:
        session = request.session
        assert session is not None
        place = self._places.get(session.upstream)
        if place is None:
            inbound.refuse(route.dialect, _no_upstream(session), [])
            return
        models = place.models(session)
        if route.model:
            self._show_model(inbound, route, listed(route.dialect, models))
        elif route.dialect == OPENAI_CHAT and (session.traits.listing or "client_version" in request.query):
            from moor.wire.catalogue import catalogue_body

            inbound.reply(200, _JSON, catalogue_body(models))
        else:
            inbound.reply(200, _JSON, models_body(route.dialect, models))

    def _show_model(self, inbound: Inbound, route: Route, models: list[Model]) -> None:
        model = next((model for model in models if model.id == route.model), None)
        if model is not None:
            inbound.reply(200, _JSON, model_body(route.dialect, model))
            return
        message = f"there is no model {route.model[:120]} here that this key may call"
        inbound.refuse(route.dialect, Refusal(status=404, ref="unknown-model", message=message, hint="moor models"))


def too_many(session: Session, wait_s: float) -> Refusal:
    """The key has called too often or used too much in the last minute."""
    return Refusal(
        status=429,
        ref="key-limited",
        message=f"the key {session.agent} has reached its limit for this minute; it may call again in {wait_s:.0f} s",
        hint="moor keys list shows its limits",
        cause=words.LIMIT,
    )


def _no_upstream(session: Session) -> Refusal:
    return Refusal(
        status=status_of(session, words.BAD_UPSTREAM),
        ref="upstream-gone",
        message=f"this gateway has no upstream {session.upstream}",
        hint="moor upstream list",
        cause=words.BAD_UPSTREAM,
    )
