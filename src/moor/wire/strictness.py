"""What llhttp lets through and a strict server must not (facts/framing.md), as pure rules on a parsed head.

Each rule returns a `Fault` or None; the connection answers it and closes, so that no two parsers can
disagree about where a message ends.
"""

from __future__ import annotations

import re
from typing import Final

_TARGET: Final = re.compile(rb"/[!-~]*\Z")
_NAMES: Final = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+(?::(?!\Z)|\Z))*\Z")
_VALUE_BAD: Final = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_DIGITS: Final = re.compile(rb"[0-9]{1,15}\Z")

METHODS: Final = frozenset((b"GET", b"HEAD", b"POST", b"OPTIONS", b"PUT", b"PATCH", b"DELETE"))
"""methods that get an answer of ours; any other one ends the connection"""


class Fault:
    """Why a message is refused, with the HTTP status to say it."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        self.reason = reason


class Framing:
    """What the headers say about the message's body and connection; its length stands apart."""

    def __init__(
        self,
        host: bytes = b"",
        hosts: int = 0,
        chunked: bool = False,
        close: bool = False,
        keep_alive: bool = False,
        expect: bytes = b"",
        coding: str = "",
        origin: bytes | None = None,
        fault: Fault | None = None,
    ) -> None:
        self.host = host
        self.hosts = hosts
        self.chunked = chunked
        self.close = close
        self.keep_alive = keep_alive
        self.expect = expect
        self.coding = coding
        self.origin = origin
        self.fault = fault


Headers = list[tuple[bytes, bytes]]
"""Names in lower case; order and repetitions as sent."""


def read_framing(headers: Headers) -> Framing:
    """The framing headers, checked one by one; `fault` holds the first that is not strict."""
    framing = Framing()
    for name, value in headers:
        reader = _READERS.get(name)
        if reader is not None:
            fault = reader(framing, value)
            if fault is not None and framing.fault is None:
                framing.fault = fault
    return framing


def _host(framing: Framing, value: bytes) -> Fault | None:
    framing.hosts += 1
    framing.host = value.lower()
    return Fault(400, "two Host headers") if framing.hosts > 1 else None


def _transfer(framing: Framing, value: bytes) -> Fault | None:
    if framing.chunked:
        return Fault(400, "two Transfer-Encoding headers")
    framing.chunked = True
    if value.lower() != b"chunked":
        return Fault(501, "a transfer coding other than chunked")
    return None


def _connection(framing: Framing, value: bytes) -> Fault | None:
    words = {word.strip() for word in value.lower().split(b",")}
    framing.close = framing.close or b"close" in words
    framing.keep_alive = framing.keep_alive or b"keep-alive" in words
    return None


def _expect(framing: Framing, value: bytes) -> Fault | None:
    framing.expect = value.lower()
    return None if framing.expect == b"100-continue" else Fault(417, "an expectation other than 100-continue")


def _coding(framing: Framing, value: bytes) -> Fault | None:
    if framing.coding:
        return Fault(415, "two Content-Encoding headers")
    framing.coding = value.decode("latin-1").strip().lower()
    return None


def _origin(framing: Framing, value: bytes) -> Fault | None:
    framing.origin = value
    return None


def _upgrade(_: Framing, __: bytes) -> Fault | None:
    return Fault(400, "an upgrade to another protocol")


_READERS: Final = {
    b"host": _host,
    b"transfer-encoding": _transfer,
    b"connection": _connection,
    b"expect": _expect,
    b"content-encoding": _coding,
    b"origin": _origin,
    b"upgrade": _upgrade,
}


def read_length(values: list[bytes]) -> int | Fault | None:
    """The body's length as the Content-Length headers say; None without one."""
    if not values:
        return None
    if len(values) > 1:
        return Fault(400, "two Content-Length headers")
    if not _DIGITS.match(values[0]):
        return Fault(400, "a Content-Length that is not a number")
    return int(values[0])


def check_request(method: bytes, target: bytes, version: str, framing: Framing) -> Fault | None:
    """The first rule that a request's head breaks, or None."""
    if framing.fault is not None:
        return framing.fault
    if version not in ("1.1", "1.0"):
        return Fault(505, "a version other than HTTP/1.1")
    if method not in METHODS:
        return Fault(501, "a method that is not served")
    if not _TARGET.match(target):
        return Fault(400, "a request target that is not a path")
    if framing.hosts != 1:
        return Fault(400, "no Host header")
    if framing.chunked and version == "1.0":
        return Fault(400, "a chunked body in HTTP/1.0")
    return None


def check_headers(headers: Headers) -> Fault | None:
    """A header line whose name is no token or whose value holds control characters, if there is one."""
    if not _NAMES.match(b":".join([name for name, _ in headers])):
        return Fault(400, "a header name that is not a token")
    if _VALUE_BAD.search(b"".join([value for _, value in headers])):
        return Fault(400, "a control character in a header value")
    return None
