"""Who may ask what: decided on the head alone, before a byte of the body is held."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.gateway.request import by_name
from moor.gateway.routes import CALL, METRICS, MODELS, NoRoute, find_route, query_of
from moor.secrets import key_hash
from moor.wire.refusal import Refusal
from moor.wire.strictness import Fault, check_headers, check_request, read_framing, read_length

if TYPE_CHECKING:
    from moor.gateway.ports import KeyLookup
    from moor.gateway.request import Request

_CREDENTIAL_HEADERS: Final = (b"authorization", b"x-api-key", b"x-goog-api-key")


_WITH_KEY: Final = (CALL, MODELS, METRICS)


class Doorkeeper:
    """Checks framing, host, origin, route and key of each request, in this order.

    `hosts`: the Host values that mean us (a page in a browser that rebinds its name sends another one);
    None accepts any, for a gateway that was opened to other machines on purpose.
    """

    def __init__(self, keys: KeyLookup, hosts: frozenset[bytes] | None, max_body: int) -> None:
        self._keys = keys
        self._hosts = hosts
        self._max_body = max_body

    def admit(self, request: Request, before: Request | None) -> None:
        """Sets route and session, or `refusal` (and `close` where the framing cannot be trusted).

        `before`: the last admitted request of the connection. Agents repeat their head call by call, so that
        an equal one is not examined again; the key is looked up each time.
        """
        length = read_length(request.lengths)
        if isinstance(length, Fault):
            request.refusal, request.close = _bad_framing(length), True
            return
        request.length = length
        if before is None or not request.adopt(before):
            self._examine(request)
        if request.refusal is None and request.route is not None and request.route.kind in _WITH_KEY:
            request.refusal = self.check_key(request) or self._check_size(request)

    def _examine(self, request: Request) -> None:
        request.framing = read_framing(request.headers)
        refusal = self._check_framing(request) or self._check_origin(request)
        if refusal is not None:
            request.refusal, request.close = refusal, True
            return
        request.named = by_name(request.headers)
        path, _, query = request.target.partition(b"?")
        found = find_route(request.method, path)
        if isinstance(found, NoRoute):
            request.refusal, request.allow = _no_route(found), found.allow
            return
        request.route = found
        if query:
            request.query = query_of(query)

    def _check_framing(self, request: Request) -> Refusal | None:
        fault = check_request(request.method, request.target, request.version, request.framing)
        if fault is None and request.framing.chunked and request.lengths:
            fault = Fault(400, "Content-Length together with Transfer-Encoding")
        fault = fault or check_headers(request.headers)
        return None if fault is None else _bad_framing(fault)

    def _check_origin(self, request: Request) -> Refusal | None:
        if self._hosts is not None and request.framing.host not in self._hosts:
            return Refusal(status=403, ref="foreign-host", message="the Host header does not name this gateway")
        if request.framing.origin is not None:
            return Refusal(status=403, ref="browser-refused", message="web pages may not call this gateway")
        return None

    def check_key(self, request: Request) -> Refusal | None:
        """Finds the session of the key that the request presents; a refusal where there is none."""
        if request.key_hash:
            request.session = self._keys.find(request.key_hash)
            if request.session is not None:
                return None
        presented = _presented(request)
        for key in presented:
            hashed = key_hash(key)
            request.session = self._keys.find(hashed)
            if request.session is not None:
                request.key_hash = hashed
                return None
        message = "this key is not known here, or its session has ended" if presented else "no key was sent"
        return Refusal(status=401, ref="key-unknown", message=message, hint="start the agent again with moor")

    def _check_size(self, request: Request) -> Refusal | None:
        return too_large(self._max_body) if (request.length or 0) > self._max_body else None


def _presented(request: Request) -> list[bytes]:
    """The keys in the places where agents put them; none travels on."""
    keys = [request.named[name] for name in _CREDENTIAL_HEADERS if name in request.named]
    keys = [value[7:].strip() if value[:7].lower() == b"bearer " else value for value in keys]
    key = request.query.get("key")
    return [*keys, key.encode()] if key else keys


def _bad_framing(fault: Fault) -> Refusal:
    return Refusal(status=fault.status, ref="bad-framing", message=f"the request has {fault.reason}")


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
