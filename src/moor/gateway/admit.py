"""Who may ask what: decided on the head alone, before a byte of the body is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.gateway.routes import CALL, MODELS, NoRoute, Route, find_route, query_of
from moor.secrets import key_hash
from moor.wire.refusal import Refusal
from moor.wire.strictness import check_header, check_request, read_framing

if TYPE_CHECKING:
    from moor.domain.session import Session
    from moor.gateway.ports import KeyLookup
    from moor.gateway.request import Request

_CREDENTIAL_HEADERS: Final = (b"authorization", b"x-api-key", b"x-goog-api-key")


class Doorkeeper:
    """Checks framing, host, origin, route and key of each request, in this order.

    `hosts`: the Host values that mean us (a page in a browser that rebinds its name sends another one);
    None accepts any, for a gateway that was opened to other machines on purpose.
    """

    def __init__(self, keys: KeyLookup, hosts: frozenset[bytes] | None, max_body: int) -> None:
        self._keys = keys
        self._hosts = hosts
        self._max_body = max_body

    def admit(self, request: Request) -> None:
        """Sets route and session, or `refusal` (and `close` where the framing cannot be trusted)."""
        request.framing = read_framing(request.headers)
        refusal = self._check_framing(request) or self._check_origin(request)
        if refusal is not None:
            request.refusal, request.close = refusal, True
            return
        path, _, query = request.target.partition(b"?")
        found = find_route(request.method, path)
        if isinstance(found, NoRoute):
            request.refusal, request.allow = _no_route(found), found.allow
            return
        request.route = found
        if query:
            request.query = query_of(query)
        if found.kind in (CALL, MODELS):
            request.refusal = self._check_key(request) or self._check_size(request, found)

    def _check_framing(self, request: Request) -> Refusal | None:
        fault = check_request(request.method, request.target, request.version, request.framing)
        if fault is None:
            for name, value in request.headers:
                fault = check_header(name, value)
                if fault is not None:
                    break
        if fault is None:
            return None
        return Refusal(status=fault.status, ref="bad-framing", message=f"the request has {fault.reason}")

    def _check_origin(self, request: Request) -> Refusal | None:
        if self._hosts is not None and request.framing.host not in self._hosts:
            return Refusal(status=403, ref="foreign-host", message="the Host header does not name this gateway")
        if request.framing.origin is not None:
            return Refusal(status=403, ref="browser-refused", message="web pages may not call this gateway")
        return None

    def _check_key(self, request: Request) -> Refusal | None:
        presented = _presented(request)
        for key in presented:
            session = self._session_of(key)
            if session is not None:
                request.session = session
                return None
        message = "this key is not known here, or its session has ended" if presented else "no key was sent"
        return Refusal(status=401, ref="key-unknown", message=message, hint="start the agent again with moor")

    def _session_of(self, key: bytes) -> Session | None:
        return self._keys.find(key_hash(key))

    def _check_size(self, request: Request, route: Route) -> Refusal | None:
        length = request.framing.length or 0
        if length <= self._max_body or route.kind != CALL:
            return None
        return too_large(self._max_body)


def _presented(request: Request) -> list[bytes]:
    """The keys in the places where agents put them; none travels on."""
    keys: list[bytes] = []
    for name, value in request.headers:
        if name in _CREDENTIAL_HEADERS:
            keys.append(value[7:].strip() if value[:7].lower() == b"bearer " else value)
    key = request.query.get("key")
    if key:
        keys.append(key.encode())
    return keys[:8]


def _no_route(found: NoRoute) -> Refusal:
    if found.status == 405:
        return Refusal(status=405, ref="method-not-served", message=f"this path is served for {found.allow} only")
    return Refusal(status=404, ref="path-not-served", message="the gateway serves no such path")


def too_large(max_body: int) -> Refusal:
    """A body above the limit."""
    return Refusal(
        status=413,
        ref="body-too-large",
        message=f"the request is larger than {max_body // (1024 * 1024)} MiB",
        hint="start a new session, or compact this one",
    )
