"""A call that meets a failing upstream: another attempt, another model, signs of life meanwhile, or the end of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from moor.domain.call import ERROR, UNREACHABLE
from moor.domain.dialects import COUNT_TOKENS, STREAM
from moor.errors.base import ExitCode, MoorError
from moor.gateway.answer import Answer, AnswerHead, StreamAnswer
from moor.gateway.answer_open import is_web_page, said
from moor.gateway.exchange_ends import Ends
from moor.gateway.headers import pass_to_agent
from moor.gateway.places import status_of
from moor.gateway.tries import (
    AGAIN,
    LIMITED,
    Breaker,
    Failure,
    after,
    asked_wait_s,
    is_final,
    pause_s,
    resting,
    tried,
)
from moor.wire import refusal as words
from moor.wire.heads import LAST_CHUNK, chunk
from moor.wire.numbers import parted_body
from moor.wire.refusal import Refusal

if TYPE_CHECKING:
    from moor.domain.credential import Credential
    from moor.wire.strictness import Headers

_SIGNS: Final = {
    "sse-comment": b": waiting\n\n",
    "ping": b'event: ping\ndata: {"type":"ping"}\n\n',
    "blank-line": b"\n",
}
"""signs of life by the form that the agent's traits name; any other word: none"""
_STREAM_HEAD: Final[Headers] = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]


def unreachable(error: MoorError) -> Failure:
    """A connection that could not be had. One that needs a sign-in is not tried again."""
    if error.exit_code == ExitCode.SIGN_IN:
        return Failure(cause=words.SIGN_IN, ref=error.ref, message=error.message, hint=error.hint, again=False)
    return Failure(
        cause=words.UNREACHABLE, ref=error.ref, message=error.message, hint=error.hint, outcome=UNREACHABLE
    )


class Tries(Ends):
    """Between a failed attempt and what follows from it."""

    _retry: asyncio.TimerHandle | None = None
    _model_tries: int = 0
    """attempts of the model that is asked now"""
    _next_fallback: int = 0
    _instead: str = ""
    """the fallback that answers now"""
    _trial: Breaker | None = None
    """the breaker that this call tries for all"""
    _error: tuple[int, Headers, bytes] | None = None
    """the upstream's last error, for clients that are no agents of ours"""

    def _go(self) -> None:
        """Ask the upstream."""
        raise NotImplementedError

    def _may_ask(self) -> bool:
        """Whether the model is not being left alone; the call is on its way to a fallback or an end where it is."""
        assert self._prepared is not None
        plan = self._prepared.plan
        self._model_tries = 0
        self._repeated = False  # another upstream has a credential of its own
        self._let_go()
        if self._prepared.action == COUNT_TOKENS:
            return True
        breaker = plan.place.breaker(plan.model.id)
        wait_s = breaker.wait_s(self._desk.monotonic())
        if not wait_s:
            self._trial = breaker if breaker.trying else None
            return True
        failure = resting(plan.model.id, plan.place.name, breaker, wait_s)
        self.record.tries += (tried(plan.model.id, plan.place.name, failure, 0.0),)
        if not self._fall_back():
            self._give_up(failure)
        return False

    def _credential_died(self) -> None:
        """The upstream refuses the credential: once a call and upstream it is renewed, and the call repeated."""
        assert self._prepared is not None
        place = self._prepared.plan.place
        if self._repeated:
            refusal = Refusal(
                status=status_of(self._session, words.SIGN_IN),
                ref="credential-refused",
                message=f"upstream {place.name} refuses the credential, a fresh one too",
                hint=f"sign in again: moor login --upstream {place.name}",
                cause=words.SIGN_IN,
            )
            self._finish_refused(refusal, ERROR)
            return
        self._repeated = True
        self._status = 0
        place.desk.obtain(self._credential, self._credential_came)

    def _credential_came(self, result: Credential | MoorError) -> None:
        """It is there, or nobody can have one."""
        raise NotImplementedError

    def _status_failed(self, body: bytes) -> bool:
        """Whether the upstream's error is one that may pass, and is dealt with so."""
        if self._status not in AGAIN or self._prepared is None or self._prepared.action == COUNT_TOKENS:
            return False
        self._error = (self._status, self._headers, body)
        said_there = "with a web page" if is_web_page(self._headers, body) else said(body)
        self._failed(
            Failure(
                cause=words.UNREACHABLE,
                ref=f"upstream-{self._status}",
                message=f"upstream {self._place_name} failed: {said_there}",
                status=self._status,
                wait_s=asked_wait_s(self._headers, self._desk.clock.now()),
            )
        )
        return True

    def _no_answer(self, message: str) -> None:
        """The upstream was silent for as long as anybody may be."""
        self._failed(Failure(cause=words.UNREACHABLE, ref="no-answer", message=message, outcome=UNREACHABLE))

    def _answer_failed(self, answer: Answer, data: bytes = b"") -> None:
        """An answer that began with an error, or ended before it began, of which the agent has nothing yet."""
        problem = answer.error or "its answer ended before it began"
        again = not is_final(data)
        self._failed(
            Failure(
                cause=words.UNREACHABLE if again else words.BAD_REQUEST,
                ref="failed-answer",
                message=f"upstream {self._place_name}: {problem}",
                again=again,
            )
        )

    def _failed(self, failure: Failure) -> None:
        """One attempt is over."""
        assert self._prepared is not None
        plan, now = self._prepared.plan, self._desk.monotonic()
        self._abandon()
        self._answer, self._held, self._held_size, self._status = None, None, 0, 0
        self._model_tries += 1
        self.record.tries += (tried(plan.model.id, plan.place.name, failure, now - self._stamp),)
        breaker = plan.place.breaker(plan.model.id)
        if failure.again and failure.status != LIMITED:
            breaker.failed(now)
            self._trial = None
        elif failure.cause == words.BAD_REQUEST:
            breaker.began()
        pause = None
        if not breaker.is_open:
            elapsed = now - self.record.started_mono
            from random import random  # most gateways never need it

            pause = pause_s(failure, self._model_tries, elapsed, self._desk.limits.patience, random)
        if pause is not None:
            self._retry = asyncio.get_running_loop().call_later(pause, self.guarded, self._try_again)
        elif not (failure.again and self._fall_back()):
            self._give_up(failure)

    def _try_again(self) -> None:
        self._retry = None
        if not self._over:
            self._go()

    def _fall_back(self) -> bool:
        """Whether another model answers now."""
        assert self._prepared is not None
        names = self._session.fallback
        while self._next_fallback < len(names):
            name = names[self._next_fallback]
            self._next_fallback += 1
            if self._desk.may_answer(self._session, self._prepared, name):
                self._error = None
                self._instead = name
                self._desk.start(self, self._request, self._session, name)  # type: ignore[arg-type]
                return True
        return False

    def _give_up(self, failure: Failure) -> None:
        """No attempt helped. Agents of ours get the status at which they stop; others the upstream's own error."""
        if self._error is not None and failure.cause not in self._session.traits.fatal_status and not self._alive:
            status, headers, body = self._error
            self._status, self._headers = status, headers
            self._pass_error(body)
            return
        refusal = Refusal(
            status=status_of(self._session, failure.cause),
            ref=failure.ref,
            message=after(failure, len(self.record.tries)),
            hint=failure.hint or "take another model: moor models",
            cause=failure.cause,
        )
        self._finish_refused(refusal, failure.outcome)

    def _pass_error(self, body: bytes) -> None:
        """The upstream's own error, as it is; a web page is replaced by a sentence in the agent's dialect."""
        self.record.status = self._status
        is_page = is_web_page(self._headers, body)
        breaker = self._breaker()
        if breaker is not None and not is_page and self._status not in AGAIN:
            breaker.began()  # it answers, and this request is what it does not take
        if self._alive:
            message = "a web page instead of an error" if is_page else said(body)
            refusal = Refusal(
                status=self._status, ref=f"upstream-{self._status}", message=message, cause=words.BAD_UPSTREAM
            )
            self._finish_refused(refusal, ERROR)
            return
        if is_page:
            message = f"upstream {self._place_name} answered with a web page instead of an error in JSON"
            refusal = Refusal(status=self._status, ref="bad-answer", message=message, cause=words.BAD_UPSTREAM)
            self.record.error = f"bad-answer: {self._status} with a web page"
            retry = [pair for pair in self._headers if pair[0].startswith(b"retry-after")]
            self._inbound.refuse(self.record.dialect, refusal, retry)
        else:
            self.record.error = f"upstream {self._status}: {said(body)}"
            body = words.error_as_clients_read(self.record.dialect, body)
            if self._session.traits.repeats_at_numbers:
                body = parted_body(body)
            self._inbound.reply(self._status, pass_to_agent(self._headers), body)
        self._end(ERROR)

    def _began(self) -> None:
        """The agent gets something of an answer now: nothing is tried again from here."""
        if self._body:
            self._request.drop_body()
            self._body = b""
        breaker = self._breaker()
        if breaker is not None and self._status < 400:
            breaker.began()
            self._trial = None

    def _complete(self, answer: Answer) -> None:
        breaker = self._breaker()
        if breaker is not None and not answer.error:
            breaker.worked()
        super()._complete(answer)

    def _broke_off(self, message: str) -> None:
        # the agent asks again by itself (OpenCode up to five times a question), so that only this ends it
        breaker = self._breaker()
        if breaker is not None:
            breaker.failed(self._desk.monotonic())
        super()._broke_off(message)

    def _abandon(self) -> None:
        if self._retry is not None:
            self._retry.cancel()
            self._retry = None
        super()._abandon()

    def _end(self, outcome: str) -> None:
        self._let_go()
        super()._end(outcome)

    def _breaker(self) -> Breaker | None:
        """Of the model that is asked; None for a count of tokens, which says nothing about its answers."""
        if self._prepared is None or self._prepared.action == COUNT_TOKENS:
            return None
        return self._prepared.plan.place.breaker(self._prepared.plan.model.id)

    def _let_go(self) -> None:
        """The trial is over: where it said nothing about the model (a limit, no sign-in), the next call tries."""
        if self._trial is not None:
            self._trial.trying = False
            self._trial = None

    # signs of life

    def _show_life(self, now: float) -> None:
        """A stream that waits for its first answer is kept open: agents and what lies between give up on silence."""
        prepared = self._prepared
        sign = _SIGNS.get(self._session.traits.keepalive)
        if sign is None or prepared is None or prepared.action != STREAM or self._request.version != "1.1":
            return
        if self._answer is not None and self._answer.sent_head:
            return
        if now - max(self.record.started_mono, self._alive_at) < self._desk.limits.keepalive_s:
            return
        if not self._alive:
            extra = b"x-moor-call: %s\r\n" % self.record.id.encode()
            head = AnswerHead(200, _STREAM_HEAD, None, extra, chunked=True, close=self._request.close)
            self._inbound.write([head.render(None)])
            self._alive = True
        self._alive_at = now
        self._inbound.write(chunk([sign]))

    def _go_on(self, answer: Answer) -> None:
        """An answer to a stream whose head has gone out already: only a plain stream can follow it."""
        if isinstance(answer, StreamAnswer):
            answer.sent_head = True
            return
        self._answer = None
        self._abandon()
        message = f"upstream {self._place_name} answered a stream with something else"
        self._fail(words.BAD_UPSTREAM, "bad-answer", message, ERROR)

    def _finish_refused(self, refusal: Refusal, outcome: str, more: Headers | None = None) -> None:
        if not self._alive:
            super()._finish_refused(refusal, outcome, more)
            return
        # the status has gone out: the words go into the stream
        dialect = self.record.dialect
        ends = [LAST_CHUNK] if dialect in words.ENDS_IN_WORDS else []
        self._inbound.write([*chunk([words.event(dialect, refusal)]), *ends])
        self.record.error = f"{refusal.ref}: {refusal.message}"
        self.record.status = 200
        self._request.close = True
        self._end(outcome)
