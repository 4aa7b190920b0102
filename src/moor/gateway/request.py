"""One request of an agent as the listener hands it over, and the store that bounds the bodies held at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moor.wire.strictness import Framing

if TYPE_CHECKING:
    from moor.domain.session import Session
    from moor.gateway.known import Known
    from moor.gateway.routes import Route
    from moor.wire.refusal import Refusal
    from moor.wire.strictness import Headers


class BodyStore:
    """Counts the bytes of all request bodies held by the process."""

    __slots__ = ("held", "limit", "peak")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self.peak = 0

    def take(self, size: int) -> bool:
        """Count these bytes in; False where they do not fit."""
        if self.held + size > self.limit:
            return False
        self.held += size
        if self.held > self.peak:
            self.peak = self.held
        return True

    def give_back(self, size: int) -> None:
        """They are held no longer."""
        self.held -= size


class Request:
    """Head, admission and body of one request. `refusal` is set where it ends here."""

    def __init__(
        self,
        store: BodyStore,
        started: float,
        target: bytes = b"",
        headers: Headers | None = None,
        lengths: list[bytes] | None = None,
        length: int | None = None,
        named: dict[bytes, bytes] | None = None,
        framing: Framing | None = None,
        method: bytes = b"",
        version: str = "",
        query: dict[str, str] | None = None,
        route: Route | None = None,
        session: Session | None = None,
        key_hash: str = "",
        refusal: Refusal | None = None,
        allow: str = "",
        close: bool = False,
        parts: list[bytes] | None = None,
        size: int = 0,
        raw_size: int = 0,
        reserved: int = 0,
        whole: bool = False,
        known: Known | None = None,
    ) -> None:
        self.store = store
        self.started = started
        self.target = target
        self.headers: Headers = [] if headers is None else headers
        """without Content-Length"""
        self.lengths: list[bytes] = [] if lengths is None else lengths
        self.length = length
        self.named: dict[bytes, bytes] = {} if named is None else named
        """header values by name; several of one name joined by a comma"""
        self.framing: Framing = Framing() if framing is None else framing
        self.method = method
        self.version = version
        self.query: dict[str, str] = {} if query is None else query
        self.route = route
        self.session = session
        self.key_hash = key_hash
        """of the key that was taken"""
        self.refusal = refusal
        self.allow = allow
        self.close = close
        """the connection ends with this answer"""
        self.parts: list[bytes] = [] if parts is None else parts
        self.size = size
        self.raw_size = raw_size
        """bytes on the socket since the head, chunk framing included"""
        self.reserved = reserved
        self.whole = whole
        self.known = known

    def reserve(self, size: int) -> bool:
        """Ask the store for room up to `size` bytes in all."""
        more = size - self.reserved
        if more <= 0:
            return True
        if not self.store.take(more):
            return False
        self.reserved += more
        return True

    def add(self, data: bytes) -> None:
        """Hold a piece of the body."""
        self.parts.append(data)
        self.size += len(data)

    def body(self) -> bytes:
        """The body, in one piece."""
        parts = self.parts
        if len(parts) != 1:
            self.parts = parts = [b"".join(parts)]
        return parts[0]

    def drop_body(self) -> None:
        """Let the body go and give its room back; may be called again."""
        if self.reserved:
            self.store.give_back(self.reserved)
            self.reserved = 0
        self.parts = []

    def header(self, name: bytes, value: bytes) -> None:
        """Take a header (its name in small letters); lengths stand apart, because they differ call by call."""
        if name == b"content-length":
            self.lengths.append(value.strip())
        else:
            self.headers.append((name, value.strip()))

    def adopt(self, before: Request) -> bool:
        """Take over what was found out about an equal head on the same connection; False where it differs."""
        if (
            before.headers != self.headers
            or before.target != self.target
            or before.method != self.method
            or before.version != self.version
        ):
            return False
        self.headers = before.headers
        self.named = before.named
        self.framing = before.framing
        self.method = before.method
        self.target = before.target
        self.version = before.version
        self.query = before.query
        self.route = before.route
        self.key_hash = before.key_hash
        self.known = before.known
        return True

    def again(self, body: bytes, size: int, now: float) -> Request | None:
        """A whole request with this head and another body; None where the store has no room for it.

        One call with all fields in their order: set one by one they would cost 3 us, a tenth of a small call.
        """
        if not self.store.take(size):
            return None
        # fmt: off
        return Request(
            self.store, now, self.target, self.headers, self.lengths, size, self.named, self.framing, self.method,
            self.version, self.query, self.route, None, self.key_hash, None, "", False, [body], size, 0, size, True,
            self.known,
        )
        # fmt: on


def by_name(headers: Headers) -> dict[bytes, bytes]:
    """Header values by name; several of one name joined by a comma."""
    named = dict(headers)
    if len(named) != len(headers):
        named = {}
        for name, value in headers:
            named[name] = b"%s,%s" % (named[name], value) if name in named else value
    return named
