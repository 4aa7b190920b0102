"""The table of routes, and the way from a request to its reply."""

from __future__ import annotations

import re
import sys
import traceback
import zlib
from typing import Final

import msgspec

from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.catalogue import listings
from moor.sim.dialects import handlers
from moor.sim.dialects.calls import model_of
from moor.sim.faults import Fault
from moor.sim.identity import account, oauth
from moor.sim.identity.auth import authenticate
from moor.sim.messages import Answer, Reply, Request, api_error, no_such_api
from moor.sim.records import Seen
from moor.sim.state import Ask, Handler, SimState


class Route(msgspec.Struct, frozen=True):
    """One route; `open` ones need no credential."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    open: bool = False


def _route(method: str, path: str, handler: Handler, *, is_open: bool = False) -> Route:
    """A path with named parts in braces; `*` takes the rest."""
    text = re.escape(path).replace(r"\{", "(?P<").replace(r"\}", ">[^/:]+)").replace(r"\*", ".*")
    return Route(method, re.compile(text), handler, is_open)


ROUTES: Final = (
    _route("GET", "/.well-known/databricks-config", oauth.host_metadata, is_open=True),
    _route("GET", "/oidc/.well-known/oauth-authorization-server", oauth.discovery, is_open=True),
    _route("GET", "/oidc/.well-known/openid-configuration", oauth.discovery, is_open=True),
    _route("GET", "/oidc/v1/authorize", oauth.authorize, is_open=True),
    _route("POST", "/oidc/v1/token", oauth.token, is_open=True),
    _route("GET", "/api/2.0/tokens/introspect", account.introspect),
    _route("GET", "/api/2.0/preview/scim/v2/Me", account.me),
    _route("POST", "/api/2.0/token/create", account.create_token),
    _route("GET", "/api/2.0/token/list", account.list_tokens),
    _route("POST", "/api/2.0/token/delete", account.delete_token),
    _route("GET", "/api/2.0/serving-endpoints", listings.serving_endpoints),
    _route("GET", "/api/2.0/serving-endpoints:foundation-models", listings.foundation_models),
    _route("GET", "/api/2.0/serving-endpoints/{name}", listings.serving_endpoint),
    _route("GET", "/api/2.1/unity-catalog/model-services", listings.model_services),
    _route("GET", "/api/ai-gateway/v2/endpoints", listings.gateway_endpoints),
    _route("GET", "/api/ai-gateway/v2/external-provider-models", listings.external_prices),
    _route("GET", "/ai-gateway/anthropic/v1/models", listings.anthropic_models),
    _route("POST", "/ai-gateway/anthropic/v1/messages", handlers.gateway_messages),
    _route("POST", "/ai-gateway/anthropic/v1/messages/count_tokens", handlers.gateway_count),
    _route("POST", "/ai-gateway/codex/v1/responses", handlers.gateway_responses),
    _route("POST", "/ai-gateway/openai/v1/responses", handlers.gateway_openai_responses),
    _route("POST", "/ai-gateway/mlflow/v1/chat/completions", handlers.gateway_chat),
    _route("POST", "/ai-gateway/gemini/v1beta/models/{model}:{action}", handlers.gateway_gemini),
    _route("POST", "/serving-endpoints/chat/completions", handlers.gateway_chat),
    _route("POST", "/serving-endpoints/anthropic/v1/messages", handlers.gateway_messages),
    _route("POST", "/serving-endpoints/anthropic/v1/messages/count_tokens", handlers.classic_count),
    _route("POST", "/serving-endpoints/responses", handlers.classic_responses),
    _route("POST", "/serving-endpoints/openai/v1/responses", handlers.classic_codex),
    _route("POST", "/serving-endpoints/google/v1beta/models/{model}:{action}", handlers.classic_gemini),
    _route("POST", "/serving-endpoints/{name}/invocations", handlers.invocations),
    _route("POST", "/serving-endpoints/*", handlers.classic_other),
    _route("GET", "/v1/models", handlers.engine_models, is_open=True),
    _route("POST", "/v1/chat/completions", handlers.engine_chat, is_open=True),
)

_GATEWAY_HOST = re.compile(r"\d+\.ai-gateway\.")
_DIALECT_ROOTS: Final = ("/anthropic/", "/openai/", "/gemini/", "/mlflow/", "/codex/")


def place_on_gateway(request: Request, *, gateway_port: bool) -> None:
    """Give a request to the older gateway host the path it has on the workspace (facts/databricks 2.1 B1)."""
    if gateway_port or _GATEWAY_HOST.match(request.header("host")):
        known = request.path.startswith(_DIALECT_ROOTS)
        request.path = ("/ai-gateway" if known else "/not-on-the-gateway-host") + request.path


async def respond(state: SimState, request: Request, seen: Seen) -> tuple[Reply, Fault | None]:
    """The reply to a request and the fault that strikes it. Never raises a refusal."""
    if state.switches[switches.COMPRESSED_REQUESTS]:
        _inflate(request)
    seen.model = model_of(request)
    route, params = _find(request)
    ask = Ask(state=state, request=request, held=None, seen=seen, params=params)
    if route is not None and not route.open:
        held = authenticate(request, state, seen)
        if isinstance(held, Answer):
            return held, None
        ask.held = held
    fault = state.faults.strike(request.method, request.path, seen.model, seen.user)
    if fault is not None:
        seen.fault = fault.id
        instead = fault.answer()
        if instead is not None or fault.drop or fault.first_byte_never or fault.raw:
            return instead or Answer(), fault
    return await _handle(route, ask), fault


async def _handle(route: Route | None, ask: Ask) -> Reply:
    gateway_off = not ask.state.switches[switches.GATEWAY] and ask.request.path.startswith("/ai-gateway/")
    if route is None or gateway_off:
        return no_such_api(ask.request.method, ask.request.path)
    encoding = ask.request.header("content-encoding")
    if encoding and encoding != "identity":
        return api_error(415, "BAD_REQUEST", f"Content-Encoding {encoding} is not supported")
    try:
        return await route.handler(ask)
    except SimRefusal as refusal:
        ask.seen.refusal = refusal.message
        return api_error(refusal.status, refusal.code, refusal.message)
    except Exception as problem:  # noqa: BLE001 - a bug of ours must show as one, not as a dropped connection
        ask.seen.refusal = f"bug of the simulator: {problem!r}"
        traceback.print_exc(file=sys.stderr)
        return api_error(500, "INTERNAL_ERROR", f"The simulator itself failed: {type(problem).__name__}")


def _inflate(request: Request) -> None:
    """Decode a gzip or deflate body in place; anything else stays and is refused later."""
    if request.header("content-encoding") not in ("gzip", "deflate"):
        return
    try:
        request.body = zlib.decompress(request.body, wbits=zlib.MAX_WBITS | 32)
    except zlib.error:
        return
    request.headers = tuple((name, value) for name, value in request.headers if name != "content-encoding")


def _find(request: Request) -> tuple[Route | None, dict[str, str]]:
    for route in ROUTES:
        found = route.pattern.fullmatch(request.path) if route.method == request.method else None
        if found:
            return route, found.groupdict()
    return None, {}
