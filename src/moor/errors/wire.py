"""What is wrong with bytes on the wire: answered to the agent in its dialect, seldom seen on a terminal."""

from __future__ import annotations

from moor.errors.base import MoorError


class BodyNotObjectError(MoorError):
    """A request body is not one JSON object."""

    ref = "body-not-json-object"

    def __init__(self, *, reason: str) -> None:
        super().__init__("the request body is not one JSON object", context=reason)
        self.reason = reason


class DuplicateKeyError(MoorError):
    """A top-level key occurs twice, so that two readers could see different requests."""

    ref = "duplicate-key"

    def __init__(self, *, key: str) -> None:
        super().__init__(f"the key {key[:40]!r} occurs twice in the request body")
        self.key = key


class FramingError(MoorError):
    """A message whose framing is not strict HTTP/1.1; the connection is closed."""

    ref = "bad-framing"

    def __init__(self, *, status: int, reason: str) -> None:
        super().__init__(f"the request is not strict HTTP/1.1: {reason}")
        self.status = status
        self.reason = reason


class ContentCodingError(MoorError):
    """A body in a coding that is not taken, or that does not decode within its limit."""

    ref = "bad-content-coding"

    def __init__(self, *, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
