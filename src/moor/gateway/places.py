"""One upstream as the data path sees it: its models, its credential, and a plan per kind of call.

A plan is everything about a call that does not depend on its body; it is made once and kept, so that the
allowlist, the route and the static part of the head cost nothing at the next call.
"""

from __future__ import annotations

import logging
import threading
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from moor.domain.budget import MONEY
from moor.domain.dialects import COUNT_TOKENS, STREAM
from moor.errors.base import MoorError
from moor.errors.upstream import NoRouteError
from moor.gateway.credentials import CredentialDesk
from moor.gateway.filters import all_filters
from moor.gateway.filters.base import Filter
from moor.gateway.gate import Gate
from moor.gateway.tries import Breaker
from moor.wire import refusal as words
from moor.wire.heads import header_lines, safe_pairs
from moor.wire.meter.open import reader_for
from moor.wire.refusal import Refusal

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from moor.clock import Clock
    from moor.domain.credential import Credential
    from moor.domain.models import Model, Target
    from moor.domain.session import Session
    from moor.gateway.limits import Limits
    from moor.store.learned import LearnedRules
    from moor.upstreams.base import Upstream

_log = logging.getLogger(__name__)
_SMALL: Final = "small"
"""slot of the small model in `AgentTraits.side_models`"""
_RELOAD_S: Final = 2.0
_MAX_PLANS: Final = 4096


class Plan:
    """How calls of one session to one model in one dialect go out."""

    def __init__(
        self,
        session: Session,
        model: Model,
        dialect: str,
        action: str,
        target: Target | None,
        head: bytes,
        filters: tuple[Filter, ...],
        place: Place,
        gate: Gate,
        held: tuple[Filter, ...] = (),
    ) -> None:
        self.session = session
        self.model = model
        self.dialect = dialect
        self.action = action
        self.target = target
        """None: the upstream does not serve this action; a token count is then answered here"""
        self.head = head
        """request line and static headers, without credential, length and passed headers"""
        self.filters = filters
        self.place = place
        self.gate = gate
        self.held = held
        """rules that wait for a refusal which shows that they are needed"""


class Place:
    """An upstream with what the gateway keeps about it. Used on the loop only."""

    def __init__(self, upstream: Upstream, limits: Limits, clock: Clock, learned: LearnedRules | None = None) -> None:
        self.upstream = upstream
        self.name = upstream.name
        self.desk = CredentialDesk(upstream.name, upstream.credential(), limits.sign_in_s)
        self._clock = clock
        self._models: dict[str, Model] = {}
        self._plans: dict[tuple[str, str, str, str], Plan] = {}
        self._learned: dict[str, frozenset[str]] = {}
        self._kept = learned
        """model id to the names of rules that its refusals showed to be needed"""
        self._uncounted: set[str] = set()
        """dialects in which the upstream said that it counts no tokens"""
        self._problem: MoorError | None = None
        self._broken: MoorError | None = None
        self._loaded_at = float("-inf")
        self._tls: ssl.SSLContext | None = None
        self._patience = limits.patience
        self._breakers: dict[str, Breaker] = {}

    def start(self) -> None:
        """Start what the upstream needs and read its models. BLOCKS: called once, on a thread.

        A failure is kept and told to every call; the gateway itself goes on.
        """
        try:
            self.upstream.prepare()
            self._tls = self.upstream.ssl_context()
        except MoorError as error:
            _log.warning("upstream %s did not start: %s", self.name, error)
            self._broken = error
        self.load()
        if self._kept is not None:
            self._learned = self._kept.load(self._clock.now())
        all_filters()
        for dialect in {dialect for model in self._models.values() for dialect in model.dialects}:
            reader_for(dialect)

    def warm(self) -> None:
        """Ask for a credential before the first call does, where there is none in memory."""
        if self._broken is None and self.desk.current() is None:
            self.desk.obtain(None, self._warmed)

    def tend(self, told: Callable[[str], None]) -> None:
        """Keep the credential fresh; `told`: a sentence when it cannot be, empty when it can again."""
        if self._broken is not None:
            return

        def problem(error: MoorError | None) -> None:
            if error is None:
                _log.info("the credential of %s is renewed again", self.name)
                told("")
            else:
                _log.warning("the credential of %s cannot be renewed: %s", self.name, error)
                told(
                    f"the sign-in to {self.name} cannot be renewed: {error.message}"
                    + f"; {error.hint}" * bool(error.hint)
                )

        self.desk.tend(problem)

    def _warmed(self, result: Credential | MoorError) -> None:
        if isinstance(result, MoorError):
            _log.warning("no credential for %s yet: %s", self.name, result)

    def breaker(self, model_id: str) -> Breaker:
        """What is known of a model's failures. Only for models of the list: there are no more of them."""
        breaker = self._breakers.get(model_id)
        if breaker is None:
            breaker = self._breakers[model_id] = Breaker(self._patience)
        return breaker

    def resting(self) -> list[str]:
        """Models that are left alone now."""
        return [model_id for model_id, breaker in self._breakers.items() if breaker.is_open]

    def tls(self) -> ssl.SSLContext | None:
        """The TLS context for this upstream's https targets."""
        return self._tls

    def load(self) -> None:
        """Read the list of models from disk. Called before the first call and again for an unknown model."""
        self._loaded_at = self._clock.monotonic()
        try:
            models = {model.id: model for model in self.upstream.catalogue().models}
        except MoorError as error:
            self._problem = error
            _log.warning("no list of models for %s: %s", self.name, error)
            return
        if models != self._models:
            self._models = models
            self._plans = {}
        self._problem = None

    def models(self, session: Session) -> list[Model]:
        """The models that the session may call, in the order of the list."""
        self._reload_when_old()
        return [model for model in self._models.values() if session.policy.why_not(model.id) is None]

    def plan(self, session: Session, dialect: str, action: str, model_id: str) -> Plan | Refusal:
        """The plan of a call, or why there is none: policy first, so that a refusal tells nothing of the list."""
        key = (session.id, dialect, action, model_id)
        plan = self._plans.get(key)
        if plan is not None and plan.session is session:
            return plan
        made = self._make(session, dialect, action, model_id)
        if isinstance(made, Plan):
            if len(self._plans) >= _MAX_PLANS:
                self._plans = {}
            self._plans[key] = made
        return made

    def _make(self, session: Session, dialect: str, action: str, model_id: str) -> Plan | Refusal:
        if session.traits.side_models:
            model_id = self._side_model(session, dialect, model_id) or model_id
        why = session.policy.why_not(model_id)
        if why is not None:
            return _refuse(
                session, words.FORBIDDEN_MODEL, "model-not-allowed", f"model {model_id} is {why}", "moor models"
            )
        if self._broken is not None:
            broken = self._broken
            return _refuse(session, words.UNREACHABLE, broken.ref, broken.message, broken.hint)
        model = self._find(model_id)
        if model is None:
            return self._unknown(session, model_id)
        if model.price is None and action != COUNT_TOKENS and self._is_paid_for(session):
            return _refuse(
                session,
                words.BUDGET,
                "price-unknown",
                f"no price is known for {model_id}, so a money cap cannot hold",
                "choose another model (moor models), or start without --budget-usd",
            )
        try:
            target = self.upstream.target(dialect, model, action)
        except NoRouteError as error:
            if action == COUNT_TOKENS:
                target = None
            else:
                return _refuse(session, words.FORBIDDEN_MODEL, error.ref, error.message, error.hint)
        if action == COUNT_TOKENS and dialect in self._uncounted:
            target = None
        return self._plan(session, dialect, action, model, target)

    def _is_paid_for(self, session: Session) -> bool:
        """Whether its calls here count into a cap in money."""
        return any(cap.unit == MONEY and cap.upstream in ("", self.name) for cap in session.all_caps())

    def _plan(self, session: Session, dialect: str, action: str, model: Model, target: Target | None) -> Plan:
        head = b""
        if target is not None:
            head = _static_head(target, [*target.headers, *self.upstream.call_headers(session)], action)
        fitting = [item for item in all_filters() if item.fits(self.upstream.quirks, dialect, session.agent, model)]
        if session.watch.rules_off:
            fitting = [item for item in fitting if item.name not in session.watch.rules_off]
        learned = self._learned.get(model.id, frozenset())
        held = tuple(item for item in fitting if item.told_by and item.name not in learned)
        filters = tuple(item for item in fitting if item not in held)
        return Plan(session, model, dialect, action, target, head, filters, self, Gate(filters), held)

    def count_no_more(self, plan: Plan) -> None:
        """The upstream does not know the path of token counts: they are answered here from now on. Some agents ask
        for a dozen at their start."""
        self._uncounted.add(plan.dialect)
        self._plans = {key: made for key, made in self._plans.items() if made.action != COUNT_TOKENS}

    def learn(self, plan: Plan, refusal: bytes) -> bool:
        """Take note of the rules that an upstream's refusal (400) shows to be needed; False where it shows none."""
        shown = {item.name for item in plan.held if any(word in refusal for word in item.told_by)}
        if not shown:
            return False
        model = plan.model.id
        _log.info("upstream %s refused a call of %s: repaired from now on by %s", self.name, model, sorted(shown))
        self._learned[model] = self._learned.get(model, frozenset()) | shown
        if self._kept is not None:
            # a thread of its own: the call is repeated meanwhile
            work = (model, frozenset(shown), self._clock.now())
            threading.Thread(target=self._kept.add, args=work, name="moor-learned", daemon=True).start()
        self._plans = {key: made for key, made in self._plans.items() if made.model.id != model}
        return True

    def _side_model(self, session: Session, dialect: str, model_id: str) -> str:
        """The model that answers in place of one that the agent asks for by itself and that is not on the list; empty
        where the agent does not, or where the session has none that may answer."""
        slot = next((slot for glob, slot in session.traits.side_models if fnmatchcase(model_id, glob)), "")
        if not slot or self._find(model_id) is not None:
            return ""
        for instead in (session.small_model, session.model) if slot == _SMALL else (session.model,):
            model = self._models.get(instead)
            if model is not None and dialect in model.dialects and session.policy.why_not(instead) is None:
                return instead
        return ""

    def _find(self, model_id: str) -> Model | None:
        model = self._models.get(model_id)
        if model is None:
            self._reload_when_old()
            model = self._models.get(model_id)
        return model

    def _reload_when_old(self) -> None:
        if self._clock.monotonic() - self._loaded_at > _RELOAD_S:
            self.load()

    def _unknown(self, session: Session, model_id: str) -> Refusal:
        if self._problem is not None:
            return _refuse(session, words.BAD_UPSTREAM, self._problem.ref, self._problem.message, self._problem.hint)
        message = f"upstream {self.name} has no model {model_id[:120]}"
        return _refuse(
            session, words.FORBIDDEN_MODEL, "unknown-model", message, "moor models --refresh asks the upstream"
        )


def status_of(session: Session, cause: str) -> int:
    """The status at which the session's agent stops at once for that cause."""
    return session.traits.fatal_status.get(cause, words.DEFAULT_STATUS[cause])


def _refuse(session: Session, cause: str, ref: str, message: str, hint: str) -> Refusal:
    return Refusal(status=status_of(session, cause), ref=ref, message=message, hint=hint, cause=cause)


def _static_head(target: Target, headers: list[tuple[str, str]], action: str) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    default = 443 if target.scheme == "https" else 80
    authority = host if target.port == default else f"{host}:{target.port}"
    lines = safe_pairs(
        [
            ("host", authority),
            ("accept", "text/event-stream" if action == STREAM else "application/json"),
            ("accept-encoding", "identity"),
            ("content-type", "application/json"),
            *((name.lower(), value) for name, value in headers),
        ]
    )
    return b"POST %s HTTP/1.1\r\n%s" % (target.path.encode("ascii"), header_lines(lines))
