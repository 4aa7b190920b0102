"""The control API under `/_sim/`: faults, clock, tokens, switches, and what was seen. Loopback only, no password."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from moor.errors.sim import SimRefusal, SimSwitchUnknown
from moor.sim.faults import Fault
from moor.sim.identity.dead import FORMS, TURNS
from moor.sim.identity.tokens import PAT
from moor.sim.messages import Answer, Json, Request, json_answer
from moor.sim.state import SimState

PREFIX: Final = "/_sim/"
_Form = TypeVar("_Form")


class _Strict(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    pass


class _Seconds(_Strict):
    advance_s: float


class _Life(_Strict):
    ttl_s: float


class _Revoke(_Strict):
    refresh_too: bool = False


class _Dead(_Strict):
    form: str = ""


class _Mint(_Strict):
    kind: str = PAT
    ttl_s: float = 3600
    user: str = ""


def _post_faults(state: SimState, request: Request) -> Json:
    """put a fault in force; the answer holds its id"""
    return {"id": state.faults.add(_read(request, Fault))}


def _get_faults(state: SimState, _request: Request) -> Any:
    """all faults with their hits"""
    return state.faults.all()


def _delete_faults(state: SimState, request: Request) -> Json:
    """lift all faults, or one with `?id=`"""
    wanted = request.query.get("id", "")
    return {"lifted": state.faults.clear(int(wanted) if wanted.isdigit() else None)}


def _clock(state: SimState, request: Request) -> Json:
    """`{"advance_s": …}` moves the workspace's time"""
    state.clock.advance(_read(request, _Seconds).advance_s)
    return {"now": state.clock.now()}


def _revoke_all(state: SimState, request: Request) -> Json:
    """kill every access token and PAT; `{"refresh_too": true}` every sign-in too"""
    form = _read(request, _Revoke) if request.body else _Revoke()
    return {"revoked": state.tokens.revoke_all(refresh_too=form.refresh_too)}


def _dead_credential(state: SimState, request: Request) -> Json:
    """`{"form": …}` chooses how dead credentials are answered"""
    form = _read(request, _Dead).form
    if form not in ("", TURNS, *FORMS):
        raise SimRefusal(400, f"unknown form {form!r}; there are {', '.join((*FORMS, TURNS))}")
    state.dead_form = form
    return {"form": form}


def _post_switches(state: SimState, request: Request) -> Any:
    """`{"name": true}` sets switches"""
    state.switches.update(_read(request, dict[str, bool]))
    return state.switches.positions()


def _get_switches(state: SimState, _request: Request) -> Any:
    """every switch with its position, meaning and source"""
    return state.switches.positions()


def _token_ttl(state: SimState, request: Request) -> Json:
    """`{"ttl_s": …}`: life of access tokens issued from now on"""
    state.token_ttl_s = _read(request, _Life).ttl_s
    return {"ttl_s": state.token_ttl_s}


def _requests(state: SimState, request: Request) -> Any:
    """the request log without credentials; `?since=N` from a number on, `?bodies=1` with bodies"""
    with_bodies = request.query.get("bodies") == "1"
    since = request.query.get("since", "")
    after = int(since) if since.isdigit() else 0
    rows = [msgspec.to_builtins(seen) for seen in state.log.all() if seen.number > after]
    if not with_bodies:
        for row in rows:
            row.pop("body_text", None)
    return rows


def _usage(state: SimState, _request: Request) -> Json:
    """the simulator's own count of tokens, by call and by model"""
    return {"calls": msgspec.to_builtins(state.usage.calls), "models": state.usage.totals()}


def _tokens(state: SimState, _request: Request) -> Json:
    """how many tokens were issued, refreshed, presented twice, revoked"""
    return state.tokens.counts()


def _reset(state: SimState, _request: Request) -> Json:
    """forget everything"""
    state.reset()
    return {}


def _mint(state: SimState, request: Request) -> Json:
    """`{"kind": "pat" or "oauth", "ttl_s": …, "user": …}` gives a good token"""
    form = _read(request, _Mint) if request.body else _Mint()
    user = form.user or state.config.users[0].name
    if form.kind == PAT:
        value, held = state.tokens.mint_pat(user, form.ttl_s, "minted by the control API")
        return {"token": value, "generation": held.generation, "token_id": held.token_id}
    return {"token": state.tokens.mint_oauth(user, form.ttl_s)}


def _principal(state: SimState, _request: Request) -> Json:
    """a new client id and secret for client_credentials"""
    client_id, client_secret = secrets.token_hex(16), "dose" + secrets.token_hex(16)
    state.principals[client_id] = client_secret
    return {"client_id": client_id, "client_secret": client_secret}


def _scenarios(state: SimState, _request: Request) -> Any:
    """the scenarios at hand"""
    return [{"name": name, "about": state.library.get(name).about} for name in state.library.names()]


def _about(state: SimState, _request: Request) -> Json:
    """where it runs and what can be called"""
    calls = sorted(f"{method} {PREFIX}{path}" for method, path in CALLS)
    return {"simulated": True, "url": state.url, "gateway_url": state.gateway_url, "calls": calls}


CALLS: Final[dict[tuple[str, str], Callable[[SimState, Request], Any]]] = {
    ("GET", ""): _about,
    ("GET", "faults"): _get_faults,
    ("POST", "faults"): _post_faults,
    ("DELETE", "faults"): _delete_faults,
    ("POST", "clock"): _clock,
    ("POST", "revoke-all"): _revoke_all,
    ("POST", "dead-credential"): _dead_credential,
    ("GET", "switches"): _get_switches,
    ("POST", "switches"): _post_switches,
    ("POST", "token-ttl"): _token_ttl,
    ("GET", "requests"): _requests,
    ("GET", "usage"): _usage,
    ("GET", "tokens"): _tokens,
    ("GET", "scenarios"): _scenarios,
    ("POST", "reset"): _reset,
    ("POST", "mint"): _mint,
    ("POST", "service-principal"): _principal,
}


async def control(state: SimState, request: Request) -> Answer:
    """The answer of the control API; a wrong call is 400 with what is wrong, an unknown one 404."""
    origin = request.header("origin") or request.header("sec-fetch-site")
    if origin:
        return json_answer({"error": "the control API is not for browsers"}, 403)
    call = CALLS.get((request.method, request.path.removeprefix(PREFIX)))
    if call is None:
        return json_answer({"error": f"no such call; GET {PREFIX} lists them"}, 404)
    try:
        return json_answer(call(state, request))
    except (SimRefusal, SimSwitchUnknown) as problem:
        return json_answer({"error": problem.message}, 400)


def _read(request: Request, form: type[_Form]) -> _Form:
    try:
        return msgspec.json.decode(request.body or b"{}", type=form)
    except msgspec.DecodeError as problem:
        raise SimRefusal(400, str(problem)) from problem
