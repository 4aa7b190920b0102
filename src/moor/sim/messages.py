"""Requests and replies of the simulator, as data; and the JSON forms of its errors."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from moor.errors.sim import SimRefusal

Json = dict[str, Any]

JSON_TYPE: Final = ("content-type", "application/json")
EVENTS_TYPE: Final = ("content-type", "text/event-stream")
TEXT_TYPE: Final = ("content-type", "text/plain; charset=utf-8")
HTML_TYPE: Final = ("content-type", "text/html; charset=utf-8")

Headers = tuple[tuple[str, str], ...]


class Request(msgspec.Struct, kw_only=True):
    """One request, its body whole."""

    method: str
    path: str
    """percent-decoded, without the query"""
    query_text: str = ""
    headers: Headers = ()
    """names in lower case"""
    body: bytes = b""

    def header(self, name: str) -> str:
        """The first header of that lower-case name, or ""."""
        return next((value for key, value in self.headers if key == name), "")

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; the last one of a name wins."""
        return dict(parse_qsl(self.query_text, keep_blank_values=True))

    def form(self) -> dict[str, str]:
        """The fields of a form body."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    def json(self) -> Json:
        """The body as a JSON object. Raises SimRefusal 400 MALFORMED_REQUEST."""
        try:
            value = msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise SimRefusal(400, f"Could not parse request object: {problem}", "MALFORMED_REQUEST") from problem
        if not isinstance(value, dict):
            raise SimRefusal(400, "Could not parse request object: expected an object", "MALFORMED_REQUEST")
        return value


class Answer(msgspec.Struct, kw_only=True):
    """A reply whose body is known."""

    status: int = 200
    headers: Headers = (JSON_TYPE,)
    body: bytes = b""
    delay_s: float = 0.0


class Cut:
    """Marks, in a stream of chunks, the place where the connection is dropped."""


class End(Cut):
    """Marks, in a stream of chunks, the place where it ends as if it were whole."""


class Stall:
    """Marks, in a stream of chunks, the place after which nothing comes any more."""


Chunk = bytes | Cut | Stall


class Streamed(msgspec.Struct, kw_only=True):
    """A reply that comes chunk by chunk, in chunked transfer encoding."""

    status: int = 200
    headers: Headers = (EVENTS_TYPE,)
    chunks: AsyncGenerator[Chunk, None]


Reply = Answer | Streamed


def json_answer(value: object, status: int = 200, *headers: tuple[str, str]) -> Answer:
    """The value as a JSON answer."""
    return Answer(status=status, headers=(JSON_TYPE, *headers), body=msgspec.json.encode(value))


def text_answer(text: str, status: int = 200, *headers: tuple[str, str]) -> Answer:
    """Plain text."""
    return Answer(status=status, headers=(TEXT_TYPE, *headers), body=text.encode())


def api_error(status: int, code: str, message: str) -> Answer:
    """The workspace API's error with its details (facts/databricks 0.3, first row)."""
    details = [{"@type": "type.googleapis.com/google.rpc.RequestInfo", "request_id": str(uuid.uuid4())}]
    return json_answer({"error_code": code, "message": message, "details": details}, status)


def plain_error(status: int, code: str, message: str) -> Answer:
    """Error code and message alone, as classic serving answers."""
    return json_answer({"error_code": code, "message": message}, status)


def no_such_api(method: str, path: str) -> Answer:
    """What the workspace says to a path it does not know."""
    return plain_error(404, "ENDPOINT_NOT_FOUND", f"No API found for '{method} {path}'")
