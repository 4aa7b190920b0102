"""One call from a whole request to its end: budget, route, credential, upstream, answer, row.

States: preparing -> (waiting for a credential) -> (connecting) -> asked -> answering -> over. Everything
happens in callbacks on the loop; where credential and connection are at hand, a call is sent out within the
callback that read its last byte. A dead credential leads back to `waiting` once; a kept connection that broke
before any byte of an answer leads back to `connecting` once. Both only before the agent got anything.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from moor.domain.call import ERROR, UNREACHABLE
from moor.domain.credential import Credential
from moor.domain.dialects import COUNT_TOKENS, STREAM
from moor.domain.usage import Usage
from moor.errors.base import MoorError
from moor.errors.wire import ContentCodingError
from moor.gateway.answer import Answer, BodyAnswer, StreamAnswer
from moor.gateway.answer_open import implausible, open_answer, without_coding
from moor.gateway.budget import BUDGET_RULE, budget_refusal
from moor.gateway.ceiling import Ceiling
from moor.gateway.exchange_tries import Tries, unreachable
from moor.gateway.prepare import Prepared
from moor.gateway.spend import PAID_PIECE, Spend, Then, parted
from moor.gateway.tries import Failure
from moor.wire import refusal as words
from moor.wire.index import index_object
from moor.wire.meter.base import BYTES_PER_TOKEN

if TYPE_CHECKING:
    from moor.gateway.outbound import Outbound
    from moor.gateway.purse import Purse
    from moor.wire.content import PieceDecoder
    from moor.wire.strictness import Headers

_log = logging.getLogger(__name__)

_SUSPECT: Final = (400, 401, 403)
"""statuses in which a dead credential is told (facts/databricks 0.3); the upstream decides by the body"""


class Exchange(Tries):
    """One call. The inbound connection owns it until it calls `inbound.over`."""

    # the way out

    def begin(self, prepared: Prepared) -> None:
        """Take a prepared call upstream."""
        self._prepared = prepared
        self._body = prepared.body
        self.record.took(prepared.plan.model, prepared.plan.place.name)
        self.record.rules = prepared.rules
        self.record.stream = prepared.action == STREAM
        if self._desk.payloads is not None:
            from moor.gateway.payloads import Draft

            self._draft = Draft(self.record.id, self.record.dialect, self._request.body(), prepared.body)
        if prepared.plan.target is None:
            self._count_here()
            return
        if not self._may_ask():
            return
        if self._spend is not None:  # of the model that did not answer
            self._spend.settle(Usage(), 0)
            self._spend = None
        purses: list[Purse] = []
        if (self._session.budget_nano is not None or self._session.caps) and prepared.action != COUNT_TOKENS:
            purses = self._desk.purses.of(self._session, prepared.plan.place.name)
        if purses:
            self._reserve(prepared, purses)
        else:
            self._go()

    def _reserve(self, prepared: Prepared, purses: list[Purse]) -> None:
        """Take what the call needs from the caps before it goes out."""
        model = prepared.plan.model
        index = prepared.index if prepared.index is not None else index_object(self._body)
        ceiling = Ceiling(prepared.plan.dialect, index, model.max_output)
        self.record.weight = len(self._body)
        self._spend = spend = Spend(purses, model.price, len(self._body) // BYTES_PER_TOKEN, self._closer_tokens)
        then = partial(self.guarded, partial(self._reserved, spend, ceiling))
        spend.start(ceiling.tokens, whole=prepared.action != STREAM, then=then)

    def _reserved(self, spend: Spend, ceiling: Ceiling) -> None:
        if self._over:
            return
        if spend.dry is None and spend.limit is not None:
            lowered = ceiling.lowered(spend.limit)
            if lowered is None:
                spend.dry = spend.scarcest
            else:
                self._body = lowered
                self.record.rules += (BUDGET_RULE,)
        if spend.dry is not None:
            self.refuse(budget_refusal(self._session, spend, spend.dry))
        else:
            self._go()

    def _go(self) -> None:
        assert self._prepared is not None
        desk = self._prepared.plan.place.desk
        self._stamp = self._desk.monotonic()
        self._credential = desk.current()
        if self._credential is None:
            desk.obtain(None, self._credential_came)
        else:
            self._ask(self._desk.pool.take(self._target))

    def _credential_came(self, result: Credential | MoorError) -> None:
        if not self._over:
            self.guarded(partial(self._take_credential, result))

    def _take_credential(self, result: Credential | MoorError) -> None:
        if isinstance(result, MoorError):
            self._refuse_for(result)
            return
        self._credential = result
        self._ask(self._desk.pool.take(self._target))

    def _ask(self, outbound: Outbound | None) -> None:
        if outbound is not None:
            self.connected(outbound)
            return
        assert self._prepared is not None
        tls = self._prepared.plan.place.tls()
        self._opening = self._desk.pool.open(self._target, tls, self)

    def connected(self, outbound: Outbound) -> None:
        """A connection is there: send."""
        self._opening = None
        if self._over:
            self._desk.pool.give_back(outbound)
        else:
            self.guarded(partial(self._send, outbound))

    def _send(self, outbound: Outbound) -> None:
        prepared, credential, body = self._prepared, self._credential, self._body
        assert prepared is not None
        assert credential is not None
        self._outbound = outbound
        self.record.attempts += 1
        self._stamp = self._desk.monotonic()
        line = prepared.plan.place.desk.header_line(self._target.auth, credential)
        outbound.send(self, b"%b%bcontent-length: %d\r\n\r\n" % (prepared.head, line, len(body)), body)
        if self._paused_at is not None:
            outbound.pause_reading()

    def not_connected(self, error: MoorError) -> None:
        """There is no connection."""
        self._opening = None
        if not self._over:
            self.record.attempts += 1
            self._failed(unreachable(error))

    # the way back

    def answer_head(self, status: int, headers: Headers) -> None:
        """The upstream answers."""
        now = self._desk.monotonic()
        self._stamp = now
        self.record.first_byte_ms = int((now - self.record.started_mono) * 1000)
        self._status, self._headers = status, headers
        named = dict(headers)
        self._decoder = None
        problem = implausible(status, named)
        if b"content-encoding" in named and not problem:
            try:
                headers, self._decoder = without_coding(headers, self._desk.limits.max_decoded)
                self._headers, named = headers, dict(headers)
            except ContentCodingError as error:
                problem = str(error)
        if problem:
            self._abandon()
            self._fail(words.BAD_UPSTREAM, "bad-answer", f"upstream {self._place_name} {problem}", ERROR)
        elif status >= 400:
            self._held = []
        else:
            assert self._prepared is not None
            self._answer = open_answer(
                self._prepared, self._request, self.record.id, status, headers, named, self._desk.limits
            )
            if self._alive:
                self._go_on(self._answer)

    def answer_data(self, pieces: list[bytes], *, ended: bool) -> None:
        """Content of the answer."""
        self._stamp = self._desk.monotonic()
        if self._decoder is not None:
            pieces = self._decoded(self._decoder, pieces, ended)
        if self._draft is not None:
            self._draft.add(pieces)
        if ended:
            self._outbound = None
        if self._over:
            return
        if self._held is not None:
            self._hold(pieces, ended)
        elif self._answer is not None:
            self._relay(self._answer, pieces, ended)

    def _decoded(self, decoder: PieceDecoder, pieces: list[bytes], ended: bool) -> list[bytes]:
        plain = decoder.feed(b"".join(pieces))
        torn = ended and not (decoder.ended or decoder.empty)
        if not self._over and (torn or decoder.broken or decoder.too_long):
            self._decoder = None
            self._abandon()
            message = f"upstream {self._place_name} broke off: its answer cannot be decoded"
            if self._answer is not None and self._answer.sent_head:
                self._broke_off(message)
            else:
                self._fail(words.BAD_UPSTREAM, "bad-answer", message, ERROR)
        return [plain] if plain else []

    def answer_lost(self, reason: str, *, untouched: bool) -> None:
        """The upstream's connection broke before the end of the answer."""
        outbound, self._outbound = self._outbound, None
        if self._over:
            return
        if untouched and outbound is not None and outbound.reused and self.record.attempts < 3:
            self._ask(None)
            return
        message = f"upstream {self._place_name} broke off: {reason}"
        if self._answer is not None and self._answer.sent_head:
            self._broke_off(message)
        else:
            self._failed(Failure(cause=words.UNREACHABLE, ref="broken-off", message=message, outcome=UNREACHABLE))

    def _relay(self, answer: Answer, pieces: list[bytes], ended: bool) -> None:
        if ended and not answer.sent_head and isinstance(answer, BodyAnswer):
            out = answer.whole(pieces)
            if out is None:
                message = f"upstream {self._place_name} answered with something that is not JSON"
                self._fail(words.BAD_UPSTREAM, "bad-answer", message, ERROR)
                return
            self._began()
            self._inbound.write(out)
            self._complete(answer)
            return
        if self._spend is not None and not self._is_clear(self._spend, pieces):
            self._backlog += pieces
            self._ended = ended
            self._pay(self._spend, answer)
            return
        out = self._fed(answer, pieces) if pieces else []
        if out is None:
            return
        if ended:
            self._finish(answer, out)
        else:
            self._inbound.write(out)

    def _is_clear(self, spend: Spend, pieces: list[bytes]) -> bool:
        """Whether these bytes are paid for, whatever they hold: most are, while much is left."""
        size = len(pieces[0]) if len(pieces) == 1 else sum(map(len, pieces))
        if size > spend.clear or self._backlog or self._short:
            return False
        spend.clear -= size
        return True

    def _fed(self, answer: Answer, pieces: list[bytes]) -> list[bytes] | None:
        """What goes to the agent; None where the answer is an error from its first byte on, which is dealt with."""
        if not self._body:
            return answer.feed(pieces)
        out = answer.feed(pieces)
        if isinstance(answer, StreamAnswer) and answer.error:
            self._answer_failed(answer, b"".join(pieces))
            return None
        if out:
            self._began()
        return out

    def _finish(self, answer: Answer, out: list[bytes]) -> None:
        if self._body and not out and isinstance(answer, StreamAnswer):
            self._answer_failed(answer)
            return
        last = answer.finish()
        self._inbound.write(out + (last or []))
        if last is None:
            self._broke_off(f"upstream {self._place_name} ended its answer before its end")
        else:
            self._complete(answer)

    def _pay(self, spend: Spend, answer: Answer) -> None:
        """Pass on what is paid for, piece by piece; without money the stream ends here, with a sentence."""
        if self._over:
            return
        again = partial(self.guarded, partial(self._pay, spend, answer))
        waited, self._short = self._short, False
        if waited and not self._goes_on(spend, answer, again):
            return
        while self._backlog:
            out = self._fed(answer, self._next_pieces(spend))
            if out is None:
                self._backlog = []
                return
            self._inbound.write(out)
            if self._over:
                return
            if (self._backlog or not self._ended) and not self._goes_on(spend, answer, again):
                return
        if self._ended:
            self._finish(answer, [])
        elif waited and self._paused_at is None and self._outbound is not None:
            self._outbound.resume_reading()

    def _goes_on(self, spend: Spend, answer: Answer, again: Then) -> bool:
        """Whether what has passed is paid for; else it is tried `again` later, or the answer was cut."""
        if spend.draw(answer.so_far(self.record.weight), again):
            return True
        if spend.dry is not None:
            self._cut(budget_refusal(self._session, spend, spend.dry))
        else:
            self._short = True
            if self._outbound is not None:
                self._outbound.pause_reading()
        return False

    def _next_pieces(self, spend: Spend) -> list[bytes]:
        """All that waits where it is paid for; else what is, or the piece that may pass before it is counted."""
        size = max(spend.clear, PAID_PIECE)
        first, self._backlog, unused = parted(self._backlog, size)
        spend.clear += unused - size
        return first

    def _hold(self, pieces: list[bytes], ended: bool) -> None:
        assert self._held is not None
        self._held += pieces
        self._held_size += sum(map(len, pieces))
        if self._held_size > self._desk.limits.max_error_body:
            self._abandon()
            self._fail(words.BAD_UPSTREAM, "bad-answer", f"upstream {self._place_name} sent an endless error", ERROR)
        elif ended:
            body, self._held, self._held_size = b"".join(self._held), None, 0
            self._error_answer(body)

    def _error_answer(self, body: bytes) -> None:
        assert self._prepared is not None
        place = self._prepared.plan.place
        if self._status in _SUSPECT and place.upstream.is_dead_credential(self._status, body):
            self._credential_died()
        elif self._status == 404 and self._prepared.action == COUNT_TOKENS:
            place.count_no_more(self._prepared.plan)
            self._count_here()
        elif self._status == 400 and self._prepared.plan.held and place.learn(self._prepared.plan, body):
            # prepared anew from the agent's own bytes; a rule is learned once, so this ends
            self._status = 0
            self._desk.start(self, self._request, self._session, self._instead)
        elif not self._status_failed(body):
            self._pass_error(body)

    # back-pressure and waiting

    def pause(self) -> None:
        """The agent reads slower than the upstream writes."""
        self._paused_at = self._desk.monotonic()
        if self._outbound is not None:
            self._outbound.pause_reading()

    def resume(self) -> None:
        """The agent took what was waiting."""
        self._paused_at = None
        self._stamp = self._desk.monotonic()
        if self._outbound is not None and not self._short:
            self._outbound.resume_reading()

    def check(self, now: float) -> None:
        """Look at the waits; called every tick."""
        limits = self._desk.limits
        self._show_life(now)
        if self._paused_at is not None:
            if now - self._paused_at > limits.stalled_s:
                self._inbound.abort()
            return
        if self._outbound is None or self._short:
            return
        limit = limits.first_byte_s if not self._status else limits.between_s
        if now - self._stamp <= limit:
            return
        self._abandon()
        message = f"upstream {self._place_name} was silent for {limit:g} s"
        if self._answer is not None and self._answer.sent_head:
            self._broke_off(message)
        else:
            self._no_answer(message)
