"""Choosing how an upstream's answer is read, and the errors that are told instead of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moor.domain.dialects import COUNT_TOKENS
from moor.gateway.answer import Answer, AnswerHead, BodyAnswer, StreamAnswer
from moor.gateway.answer_mended import MendedBody, mended_stream
from moor.gateway.headers import pass_to_agent
from moor.wire.content import IDENTITY, PieceDecoder, can_decode
from moor.wire.meter.base import error_text, parse

if TYPE_CHECKING:
    from moor.gateway.filters.base import Stage
    from moor.gateway.limits import Limits
    from moor.gateway.prepare import Prepared
    from moor.gateway.request import Request
    from moor.wire.strictness import Headers


def open_answer(
    prepared: Prepared,
    request: Request,
    call_id: str,
    status: int,
    headers: Headers,
    named: dict[bytes, bytes],
    limits: Limits,
) -> Answer:
    """The reader of a good answer: a stream by its content type, else one document."""
    coding = named[b"content-encoding"].decode("latin-1").strip().lower() if b"content-encoding" in named else ""
    extra = b"x-moor-call: %s\r\n" % call_id.encode()
    length = named.get(b"content-length")
    head = AnswerHead(status, headers, length, coding, extra, request.version == "1.1", request.close)
    dialect = prepared.plan.dialect
    on_answers = prepared.plan.gate.on_answers
    if b"event-stream" in named.get(b"content-type", b"").lower():
        stages: list[Stage] = [item.stage() for item in prepared.fired if item.stage is not None]
        stages += prepared.stages
        return mended_stream(dialect, head, stages, on_answers) if on_answers else StreamAnswer(dialect, head, stages)
    metered = limits.max_metered_body if prepared.action != COUNT_TOKENS else 0
    if on_answers and metered and head.coding in IDENTITY:
        return MendedBody(dialect, head, metered, on_answers)
    return BodyAnswer(dialect, head, metered)


def implausible(status: int, named: dict[bytes, bytes]) -> str:
    """Why an answer cannot be one of a model, by its head; empty where it can."""
    if 300 <= status < 400:
        return "redirects the call, and redirects are not followed"
    if status < 300 and b"text/html" in named.get(b"content-type", b"").lower():
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
