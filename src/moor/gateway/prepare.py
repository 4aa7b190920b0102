"""From a whole request to what goes upstream: decode, index, allowlist, repairs; or the reason it stops here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.domain.dialects import COUNT_TOKENS, GEMINI_GENERATE, GENERATE, STREAM
from moor.errors.wire import BodyNotObjectError, ContentCodingError, DuplicateKeyError
from moor.gateway.filters.base import Draft, Filter, Stage, run_filters
from moor.gateway.known import known_of
from moor.gateway.places import Place, Plan, status_of
from moor.wire import refusal as words
from moor.wire.content import decode_body
from moor.wire.heads import header_lines
from moor.wire.index import Index
from moor.wire.refusal import Refusal
from moor.wire.splice import encode

if TYPE_CHECKING:
    from moor.domain.session import Session
    from moor.gateway.request import Request
    from moor.gateway.routes import Route
    from moor.wire.resent import Conversations

SIDE_DOORS: Final = frozenset(
    (
        "models",
        "fallbacks",
        "context_window_fallbacks",
        "content_policy_fallbacks",
        "fallback_models",
    )
)
"""keys by which some routers take another model than `model` says (LiteLLM, OpenRouter)"""


class Prepared:
    """A call ready to go out."""

    def __init__(
        self,
        plan: Plan,
        head: bytes,
        body: bytes,
        rules: tuple[str, ...],
        fired: tuple[Filter, ...],
        action: str,
        stages: tuple[Stage, ...] = (),
        index: Index | None = None,
    ) -> None:
        self.plan = plan
        self.head = head
        """complete but for the credential, the length and the empty line"""
        self.body = body
        self.rules = rules
        self.fired = fired
        self.action = action
        self.stages = stages
        """what runs on the way back of this very call"""
        self.index = index
        """of the body; None where what changed it left none"""

    def masked(self, body: bytes, rule: str) -> Prepared:
        """The same call with another body, which has no index yet."""
        rules = (*self.rules, rule)
        return Prepared(self.plan, self.head, body, rules, self.fired, self.action, self.stages)


def named_model(route: Route, index: Index) -> str | None:
    """The model id the request names: in the path (Gemini) or the body."""
    return route.model or index.text("model")


def read_index(request: Request, session: Session, conversations: Conversations, max_body: int) -> Index | Refusal:
    """The body, decoded and indexed."""
    try:
        body, coding = request.body(), request.framing.coding
        return conversations.index(session.id, decode_body(coding, body, max_body) if coding else body)
    except ContentCodingError as error:
        return Refusal(status=error.status, ref=error.ref, message=error.message)
    except (BodyNotObjectError, DuplicateKeyError) as error:
        tail = f" ({error.context})" if error.context else ""
        return Refusal(status=400, ref=error.ref, message=error.message + tail)


def prepare(
    request: Request, session: Session, index: Index, place: Place, model_id: str, answering: str = ""
) -> Prepared | Refusal:
    """Allowlist and repairs, in this order. `answering`: the model that answers in place of the one asked for."""
    route = request.route
    assert route is not None
    if not model_id:
        return _bad(session, "model-missing", "the request names no model")
    problem = _check_keys(session, route, index, model_id)
    if problem is not None:
        return problem
    action = _action(session, request, route, index)
    if isinstance(action, Refusal):
        return action
    plan = place.plan(session, route.dialect, action, answering or model_id)
    if isinstance(plan, Refusal):
        return plan
    known = known_of(request, session)
    rules = plan.gate.needed(index)
    instead = plan.model.id != model_id
    if not rules and not instead:
        return Prepared(plan, plan.head + known.passed_lines, index.body, (), (), action, (), index)
    draft = Draft(index, route.dialect, action, plan.model, known.passed.copy())
    if instead and draft.has("model"):
        draft.set("model", encode(plan.model.id))
    fired = tuple(run_filters(rules, draft))
    same = not fired or draft.headers == known.passed
    lines = known.passed_lines if same else header_lines(draft.headers.items())
    made = draft.result()
    return Prepared(plan, plan.head + lines, made.body, tuple(draft.rules), fired, action, tuple(draft.stages), made)


def _action(session: Session, request: Request, route: Route, index: Index) -> str | Refusal:
    if route.dialect == GEMINI_GENERATE:
        if route.action == STREAM and request.query.get("alt") != "sse":
            return _bad(session, "stream-form", "streams are served as server-sent events only", "add ?alt=sse")
        return route.action
    if route.action == COUNT_TOKENS:
        return route.action
    stream = index.raw("stream")
    if stream in (None, b"false", b"null"):
        return GENERATE
    return STREAM if stream == b"true" else _bad(session, "stream-not-boolean", "`stream` is neither true nor false")


def _check_keys(session: Session, route: Route, index: Index, model_id: str) -> Refusal | None:
    if not index.plain and not SIDE_DOORS.isdisjoint(index.keys):
        key = min(SIDE_DOORS.intersection(index.keys))
        return _bad(session, "other-models", f"the key `{key}` would pick models past the allowlist")
    if route.model and "model" in index.keys:
        inside = index.text("model")
        if inside not in (model_id, f"models/{model_id}"):
            return _bad(session, "two-models", "the path and the body name different models")
    return None


def _bad(session: Session, ref: str, message: str, hint: str = "") -> Refusal:
    return Refusal(status=status_of(session, words.BAD_REQUEST), ref=ref, message=message, hint=hint)
