"""Choosing how an upstream's answer is read, and the errors that are told instead of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.domain.dialects import COUNT_TOKENS
from moor.errors.wire import ContentCodingError
from moor.gateway.answer import Answer, AnswerHead, BodyAnswer, StreamAnswer
from moor.gateway.answer_mended import MendedBody, mended_stream
from moor.wire.content import IDENTITY, PieceDecoder, can_decode
from moor.wire.meter.base import error_text, parse
from moor.wire.words import holds

if TYPE_CHECKING:
    from moor.gateway.filters.base import Stage
    from moor.gateway.limits import Limits
    from moor.gateway.prepare import Prepared
    from moor.gateway.request import Request
    from moor.wire.strictness import Headers

_EVENTS: Final = "events"
_PAGE: Final = "page"
_OTHER: Final = "other"
_kinds: Final[dict[bytes, str]] = {}
_MAX_KINDS: Final = 64
_OF_CODED: Final = (b"content-encoding", b"content-length")


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
    extra = b"x-moor-call: %s\r\n" % call_id.encode()
    length = named.get(b"content-length")
    parted = prepared.plan.session.traits.repeats_at_numbers
    head = AnswerHead(status, headers, length, extra, request.version == "1.1", request.close, parted)
    dialect = prepared.plan.dialect
    on_answers = prepared.plan.gate.on_answers
    if _kind(named) == _EVENTS:
        stages: list[Stage] = [item.stage() for item in prepared.fired if item.stage is not None]
        stages += prepared.stages
        stream = (
            mended_stream(dialect, head, stages, on_answers) if on_answers else StreamAnswer(dialect, head, stages)
        )
        stream.ends = prepared.plan.gate.ends
        return stream
    metered = limits.max_metered_body if prepared.action != COUNT_TOKENS else 0
    if on_answers and metered:
        return MendedBody(dialect, head, metered, on_answers)
    return BodyAnswer(dialect, head, metered)


def implausible(status: int, named: dict[bytes, bytes]) -> str:
    """Why an answer cannot be one of a model, by its head; empty where it can."""
    if 300 <= status < 400:
        return "redirects the call, and redirects are not followed"
    if status < 300 and _kind(named) == _PAGE:
        return "answered with a web page (a sign-in page or a proxy in between?)"
    return ""


def _kind(named: dict[bytes, bytes]) -> str:
    """What the content type says; upstreams have few of them."""
    said = named.get(b"content-type", b"")
    kind = _kinds.get(said)
    if kind is None:
        low = said.lower()
        kind = _PAGE if holds(low, b"text/html") else _EVENTS if holds(low, b"event-stream") else _OTHER
        if len(_kinds) < _MAX_KINDS:
            _kinds[said] = kind
    return kind


def without_coding(headers: Headers, max_bytes: int) -> tuple[Headers, PieceDecoder | None]:
    """Headers of the decoded content and what decodes it. Raises ContentCodingError for a coding nobody here reads.

    Moor asks for plain answers; one that is coded all the same is counted, repaired and cut like any other.
    """
    coding = next((value for name, value in headers if name == b"content-encoding"), b"").decode("latin-1")
    name = coding.strip().lower()
    plain = [pair for pair in headers if pair[0] not in _OF_CODED]
    if name in IDENTITY:
        return headers, None
    if not can_decode(name):
        raise ContentCodingError(status=502, reason=f"answered in the coding {name[:40]!r}, which nobody asked for")
    return plain, PieceDecoder(name, max_bytes, in_all=False)


def is_web_page(headers: Headers, body: bytes) -> bool:
    """Whether an error answer is HTML."""
    return body.lstrip()[:1] == b"<" or any(
        name == b"content-type" and b"text/html" in value.lower() for name, value in headers
    )


def said(body: bytes) -> str:
    """The sentence in an error body, whatever its shape."""
    found = parse(body)
    return error_text(found) if found else body[:300].decode("utf-8", "replace")
