"""Is the presented credential good? Bearer everywhere, `x-goog-api-key` on the Gemini routes (databricks 2.5, 9)."""

from __future__ import annotations

from moor.sim import switches
from moor.sim.identity.dead import FORMS, TURNS, dead_answer, missing_answer, usual_form
from moor.sim.identity.tokens import PAT, Held, Standing
from moor.sim.messages import Answer, Request
from moor.sim.records import Seen
from moor.sim.state import SimState


def presented(request: Request, state: SimState) -> tuple[str, str]:
    """The credential and the header it came in; ("", "") when there is none the route takes."""
    scheme, _, value = request.header("authorization").partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip(), "authorization"
    if ("/gemini/" in request.path or "/google/" in request.path) and request.header("x-goog-api-key"):
        return request.header("x-goog-api-key"), "x-goog-api-key"
    if "/anthropic/" in request.path and state.switches[switches.X_API_KEY] and request.header("x-api-key"):
        return request.header("x-api-key"), "x-api-key"
    return "", ""


def authenticate(request: Request, state: SimState, seen: Seen) -> Held | Answer:
    """The token's record, or the answer that refuses it."""
    token, place = presented(request, state)
    seen.credential_in = place
    if not token:
        return missing_answer()
    standing, held = state.tokens.judge(token)
    if held is not None:
        seen.token_generation, seen.user = held.generation, held.user
    if standing is not Standing.GOOD or held is None:
        return refuse_dead(request, state, standing)
    on_gateway = request.path.startswith("/ai-gateway/")
    if held.kind == PAT and on_gateway and not state.switches[switches.PAT_ON_GATEWAY]:
        return refuse_dead(request, state, standing)
    return held


def refuse_dead(request: Request, state: SimState, standing: Standing) -> Answer:
    """The form that was chosen by the control API, else the one usual on the route."""
    form = state.dead_form or usual_form(request.path, standing)
    if form == TURNS:
        form = FORMS[state.dead_turn % len(FORMS)]
        state.dead_turn += 1
    return dead_answer(form)
