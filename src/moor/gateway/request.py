"""One request of an agent as the listener hands it over, and the store that bounds the bodies held at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

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


class Request(msgspec.Struct, eq=False):
    """Head, admission and body of one request. `refusal` is set where it ends here."""

    store: BodyStore
    started: float
    target: bytes = b""
    headers: Headers = []
    """without Content-Length"""
    lengths: list[bytes] = []
    length: int | None = None
    named: dict[bytes, bytes] = {}
    """header values by name; several of one name joined by a comma"""
    framing: Framing = msgspec.field(default_factory=Framing)
    method: bytes = b""
    version: str = ""
    query: dict[str, str] = {}
    route: Route | None = None
    session: Session | None = None
    key_hash: str = ""
    """of the key that was taken"""
    refusal: Refusal | None = None
    allow: str = ""
    close: bool = False
    """the connection ends with this answer"""
    parts: list[bytes] = []
    size: int = 0
    raw_size: int = 0
    """bytes on the socket since the head, chunk framing included"""
    reserved: int = 0
    whole: bool = False
    known: Known | None = None

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
