"""How a call ends: whole, cut, refused, failed or left; in each case with one row and one word to the agent."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from moor.domain.call import CANCELLED, CUT, ERROR, OK, REFUSED, UNREACHABLE
from moor.domain.credential import Credential
from moor.domain.dialects import COUNT_TOKENS
from moor.domain.usage import Usage
from moor.errors.base import ExitCode, MoorError
from moor.gateway.answer import Answer
from moor.gateway.places import status_of
from moor.gateway.prepare import Prepared
from moor.gateway.record import Record
from moor.gateway.spend import Spend
from moor.wire import refusal as words
from moor.wire.heads import safe_pairs
from moor.wire.listing import count_body
from moor.wire.meter.base import BYTES_PER_TOKEN
from moor.wire.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Set

    from moor.domain.models import Target
    from moor.domain.session import Session
    from moor.gateway.desk import Desk
    from moor.gateway.inbound import Inbound
    from moor.gateway.live import Running
    from moor.gateway.outbound import Outbound
    from moor.gateway.payloads import Draft
    from moor.gateway.request import Request
    from moor.wire.content import PieceDecoder
    from moor.wire.strictness import Headers

_log = logging.getLogger(__name__)


class Ends:
    """The state of one call, and its ends."""

    def __init__(
        self, desk: Desk, inbound: Inbound, request: Request, session: Session, record: Record, stamp: float
    ) -> None:
        self._desk = desk
        self._inbound = inbound
        self._request = request
        self._session = session
        self.record = record
        self._stamp = stamp
        self._prepared: Prepared | None = None
        self._credential: Credential | None = None
        self._outbound: Outbound | None = None
        self._opening: asyncio.Task[None] | None = None
        self._answer: Answer | None = None
        self._body: bytes = b""
        self._held: list[bytes] | None = None
        self._held_size: int = 0
        self._decoder: PieceDecoder | None = None
        """of an answer that came compressed although nobody asked for that"""
        self._status: int = 0
        self._headers: Headers = []
        self._repeated: bool = False
        self._over: bool = False
        self._paused_at: float | None = None
        self._spend: Spend | None = None
        self._alive: bool = False
        """the agent has the head of a stream and signs of life, and no answer yet"""
        self._alive_at: float = 0.0
        self._draft: Draft | None = None
        """what is kept of it where payloads are logged"""
        self._short: bool = False
        """the answer waits until the bank has said whether it may go on"""
        self._backlog: list[bytes] = []
        """what came and is not paid for yet"""
        self._ended: bool = False
        """the backlog is the last of the answer"""

    def _closer_tokens(self) -> int:
        """Input tokens on a closer look: a picture's bytes are many and its tokens few. Costs as much as a repair."""
        from moor.wire.media import weight  # most gateways never need it

        assert self._prepared is not None
        self.record.weight = weight(self._prepared.plan.dialect, self._body)
        return self.record.weight // BYTES_PER_TOKEN

    def _complete(self, answer: Answer) -> None:
        self.record.status = answer.head.status
        if answer.head.close:
            self._request.close = True
        error = answer.error
        if error:
            self.record.error = f"in the answer: {error}"
        self._end(ERROR if error else OK)

    def _broke_off(self, message: str) -> None:
        # OpenCode repeats at these words (facts/opencode 9). Whether it sees this event or the closed connection
        # first is chance, and a closed connection it repeats too
        self._cut(Refusal(status=502, ref="cut", message=message, hint="try again later", cause=words.BAD_UPSTREAM))

    def _cut(self, refusal: Refusal) -> None:
        """The answer ends in the middle: say so in the stream and close, so that no agent takes it for an end."""
        if self._answer is not None:
            self._inbound.write(self._answer.cut(refusal))
            self.record.status = self._answer.head.status
        self.record.error = f"{refusal.ref}: {refusal.message}"
        self._request.close = True
        self._end(CUT)

    def _count_here(self) -> None:
        tokens = max(1, len(self._request.body()) // BYTES_PER_TOKEN)
        headers = safe_pairs([("content-type", "application/json"), ("x-moor-estimated", "true")])
        self._inbound.reply(200, headers, count_body(self.record.dialect, tokens))
        self.record.status = 200
        self._end(OK)

    def _refuse_for(self, error: MoorError) -> None:
        cause = words.SIGN_IN if error.exit_code == ExitCode.SIGN_IN else words.UNREACHABLE
        refusal = Refusal(
            status=status_of(self._session, cause), ref=error.ref, message=error.message, hint=error.hint, cause=cause
        )
        self._finish_refused(refusal, ERROR if cause == words.SIGN_IN else UNREACHABLE)

    def _fail(self, cause: str, ref: str, message: str, outcome: str) -> None:
        status = status_of(self._session, cause)
        self._finish_refused(Refusal(status=status, ref=ref, message=message, cause=cause), outcome)

    def refuse(self, refusal: Refusal, more: Headers | None = None) -> None:
        """End the call here; nothing goes upstream."""
        self._finish_refused(refusal, REFUSED, more)

    def _finish_refused(self, refusal: Refusal, outcome: str, more: Headers | None = None) -> None:
        self.record.error = f"{refusal.ref}: {refusal.message}"
        self.record.status = refusal.status
        self._inbound.refuse(self.record.dialect, refusal, more)
        self._end(outcome)

    def broke(self, error: Exception) -> None:
        """A bug of ours met this call: end it in a status at which the agent stops; the log keeps the trace."""
        _log.error("call %s met a bug", self.record.id, exc_info=error)
        message = f"the gateway itself failed on this call ({type(error).__name__}); its log says more"
        if self._answer is not None and self._answer.sent_head:
            self._cut(Refusal(status=502, ref="bug", message=message, cause=words.BAD_UPSTREAM))
        else:
            self._fail(words.BAD_UPSTREAM, "bug", message, ERROR)

    def guarded(self, step: Callable[[], None]) -> None:
        """Do what a callback of ours does: a bug in it ends this call in words, which nobody else would."""
        try:
            step()
        except Exception as error:  # noqa: BLE001 - the boundary of one call
            if not self._over:
                self.broke(error)

    def cancel(self) -> None:
        """The agent left: end the upstream's work too. Codex leaves as soon as it has the last event of a stream, and
        has its answer then."""
        if self._over:
            return
        if self._answer is not None and self._answer.said_all:
            self._complete(self._answer)
            return
        self.record.status = 0
        self._abandon()
        self._end(CANCELLED)

    def end_with_key(self, revoked: Set[str]) -> None:
        """End the call where its key is one of these (SHA-256)."""
        if self._request.key_hash not in revoked or self._over:
            return
        message = "the key of this call was revoked, or its time is over"
        refusal = Refusal(status=401, ref="key-unknown", message=message, hint="moor keys list", cause=words.SIGN_IN)
        if self._answer is not None and self._answer.sent_head:
            self._cut(refusal)
            return
        sent = self.record.attempts > 0
        self._abandon()
        self._finish_refused(refusal, CANCELLED if sent else REFUSED)

    def _abandon(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
            self._opening = None
        if self._outbound is not None:
            self._outbound.abort()
            self._outbound = None

    def _end(self, outcome: str) -> None:
        if self._over:
            return
        self._over = True
        self._abandon()
        record = self.record
        record.outcome = outcome
        asked = self._prepared is not None and self._prepared.action != COUNT_TOKENS
        if asked and self._answer is not None:
            record.usage, record.estimated = self._answer.usage(record.weight)
            record.response_bytes = self._answer.size
            if self._answer.mended:
                record.rules += tuple(self._answer.mended)
        elif asked and outcome == CANCELLED and record.attempts:
            # it was sent, and the agent left before the answer: the upstream read it, so it may be charged
            record.usage, record.estimated = Usage(input=record.weight // BYTES_PER_TOKEN), True
        if self._spend is not None:
            record.draws = self._spend.settle(record.usage, record.cost() or 0)
            self._desk.purses.warn(self._session, self._spend.purses)
        counts = self._request.route is not None and self._request.route.action == COUNT_TOKENS
        if self._draft is not None and self._desk.payloads is not None:
            self._desk.payloads.put(self._draft)
        self._desk.settle(record, is_count=counts)
        self._inbound.over(self)

    def live(self, now: float) -> Running:
        """The call as it stands, for people."""
        from moor.gateway.live import Running

        record, answer = self.record, self._answer
        began = answer is not None and answer.sent_head
        return Running(
            session=self._session.id,
            agent=self._session.agent,
            model=record.model_id,
            subagent=record.agent_session if record.parent_session else "",
            seconds=round(now - record.started_mono, 1),
            output=self._output_so_far(),
            attempts=record.attempts,
            waiting=not began,
        )

    def _output_so_far(self) -> int:
        if self._answer is None or not self._answer.sent_head or not self.record.stream:
            return 0
        return self._answer.so_far(self.record.weight).output

    @property
    def _target(self) -> Target:
        assert self._prepared is not None
        assert self._prepared.plan.target is not None
        return self._prepared.plan.target

    @property
    def _place_name(self) -> str:
        return self._prepared.plan.place.name if self._prepared is not None else self._session.upstream
