"""Choosing how an upstream's answer is read, and the errors that are told instead of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moor.domain.dialects import COUNT_TOKENS
from moor.gateway.answer import Answer, BodyAnswer, StreamAnswer
from moor.gateway.headers import pass_to_agent
from moor.wire.content import PieceDecoder, can_decode
from moor.wire.meter.base import error_text, parse

if TYPE_CHECKING:
    from moor.gateway.prepare import Prepared
    from moor.gateway.request import Request
    from moor.wire.strictness import Headers


def open_answer(
    prepared: Prepared, request: Request, call_id: str, status: int, headers: Headers, max_metered: int
) -> Answer:
    """The reader of a good answer: a stream by its content type, else one document."""
    extra = b"x-moor-call: %s\r\n" % call_id.encode()
    chunked, close = request.version == "1.1", request.close
    dialect = prepared.plan.dialect
    if any(name == b"content-type" and b"event-stream" in value.lower() for name, value in headers):
        stages = [item.stage() for item in prepared.fired if item.stage is not None]
        return StreamAnswer(dialect, status, headers, chunked=chunked, close=close, extra=extra, stages=stages)
    metered = max_metered if prepared.action != COUNT_TOKENS else 0
    return BodyAnswer(dialect, status, headers, chunked=chunked, close=close, extra=extra, max_metered=metered)


def implausible(status: int, headers: Headers) -> str:
    """Why an answer cannot be one of a model, by its head; empty where it can."""
    if 300 <= status < 400:
        return "redirects the call, and redirects are not followed"
    if status < 300 and any(name == b"content-type" and b"text/html" in value.lower() for name, value in headers):
        return "answered with a web page (a sign-in page or a proxy in between?)"
    return ""


def decoded_error(headers: Headers, body: bytes, max_bytes: int) -> tuple[Headers, bytes]:
    """An error answer without content coding, with the headers that pass to the agent."""
    passed = pass_to_agent(headers)
    coding = next((value.decode("latin-1") for name, value in passed if name == b"content-encoding"), "")
    if not can_decode(coding):
        return passed, body
    plain = PieceDecoder(coding.strip().lower(), max_bytes).feed(body)
    return [pair for pair in passed if pair[0] != b"content-encoding"], plain


def is_web_page(headers: Headers, body: bytes) -> bool:
    """Whether an error answer is HTML."""
    return body.lstrip()[:1] == b"<" or any(
        name == b"content-type" and b"text/html" in value.lower() for name, value in headers
    )


def said(body: bytes) -> str:
    """The sentence in an error body, whatever its shape."""
    found = parse(body)
    return error_text(found) if found else body[:300].decode("utf-8", "replace")
