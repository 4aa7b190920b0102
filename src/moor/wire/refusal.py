"""Our own refusals and errors in the words of each dialect, so that the agent shows our sentence.

The sentences avoid words that make agents try again ("timeout", "rate limit", "overloaded"): OpenCode matches them in
the text (facts/opencode 9). Numbers that must be told, as amounts, are parted (`moor.wire.numbers`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.wire.numbers import parted

if TYPE_CHECKING:
    import re
from collections.abc import Callable

SIGN_IN: Final = "sign-in"
FORBIDDEN_MODEL: Final = "forbidden-model"
BUDGET: Final = "budget"
UNREACHABLE: Final = "unreachable"
BAD_UPSTREAM: Final = "bad-upstream"
BAD_REQUEST: Final = "bad-request"
LIMIT: Final = "limit"
"""too much at a time: the client may ask again later, and its provider's library knows that by the type"""

DEFAULT_STATUS: Final[dict[str, int]] = {
    SIGN_IN: 401,
    FORBIDDEN_MODEL: 403,
    BUDGET: 403,
    UNREACHABLE: 502,
    BAD_UPSTREAM: 502,
    BAD_REQUEST: 400,
}
"""where an agent's traits name no status for a cause"""

ENDS_IN_WORDS: Final = frozenset((ANTHROPIC_MESSAGES, OPENAI_RESPONSES))
"""dialects whose clients take the error event for the end of a stream, all of them: behind it the answer is ended
properly, because a broken one makes Claude Code and Codex tell of the connection instead of showing our sentence"""

_encode: Final = msgspec.json.Encoder().encode


class Refusal:
    """Why a call ends here, in one sentence, with the HTTP status the agent gets."""

    def __init__(self, *, status: int, ref: str, message: str, hint: str = "", cause: str = BAD_REQUEST) -> None:
        self.status = status
        self.ref = ref
        self.message = message
        self.hint = hint
        self.cause = cause

    @property
    def sentence(self) -> str:
        """`moor: what happened. Hint: the command`, without a number that is taken for a status."""
        tail = f" Hint: {self.hint}" if self.hint else ""
        return parted(f"moor: {self.message.rstrip('.')}.{tail}")


_ANTHROPIC_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    415: "invalid_request_error",
    503: "overloaded_error",
}
_ERROR_EVENT: Final = re.compile(rb'^data:[ ]?(?=\{\s*"error"\s*:)', re.MULTILINE)
_GEMINI_STATUS: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    415: "INVALID_ARGUMENT",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_OPENAI_TYPES: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    413: "invalid_request_error",
    415: "invalid_request_error",
}


def body(dialect: str, refusal: Refusal) -> bytes:
    """The JSON body of an error answer; a plain form where the dialect is not known."""
    return _encode(_FORMS.get(dialect, _openai)(refusal))


def event(dialect: str, refusal: Refusal) -> bytes:
    """The same inside a stream that has begun: whole server-sent events.

    Google's clients look for an error in what is no event: the JSON alone. As the data of one it counts as an empty
    piece of the answer, and the answer as a good one (seen on Gemini CLI 0.61).
    """
    if dialect == ANTHROPIC_MESSAGES:
        return b"event: error\ndata: %s\n\n" % _encode(_anthropic(refusal))
    if dialect == OPENAI_RESPONSES:
        return _responses_event(refusal)
    if dialect == GEMINI_GENERATE:
        return body(dialect, refusal) + b"\n\n"
    return b"data: %s\n\n" % body(dialect, refusal)


def as_clients_read(dialect: str, block: bytes) -> bytes:
    """A block of whole events in which the upstream tells an error, in the form in which `event` would tell it."""
    return _ERROR_EVENT.sub(b"", block) if dialect == GEMINI_GENERATE else block


def error_as_clients_read(dialect: str, body: bytes) -> bytes:
    """An upstream's error with an `error` object beside what it says, where it has none: OpenAI's client library for
    Node takes the sentence from there only, and shows "403 status code (no body)" for the plain form of a workspace
    (facts/databricks 0.3; seen with Qwen Code 0.24.4)."""
    if dialect not in (OPENAI_CHAT, OPENAI_RESPONSES):
        return body
    try:
        told = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body
    message = told.get("message") if isinstance(told, dict) else None
    if not message or not isinstance(message, str) or told.get("error"):
        return body
    code = told.get("error_code")
    kind = code if isinstance(code, str) else "api_error"
    return _encode({**told, "error": {"message": message, "type": kind, "param": None, "code": kind}})


def _responses_event(refusal: Refusal) -> bytes:
    """Two events: clients of the provider's library read the first, Codex reads the second only."""
    said = {"code": refusal.ref, "message": refusal.sentence}
    error = {"type": "error", **said, "param": None, "sequence_number": 0}
    answer = {"id": "", "object": "response", "status": "failed", "error": said, "output": []}
    failed = {"type": "response.failed", "response": answer, "sequence_number": 1}
    return b"event: error\ndata: %s\n\nevent: response.failed\ndata: %s\n\n" % (_encode(error), _encode(failed))


def _anthropic(refusal: Refusal) -> dict[str, Any]:
    kind = "rate_limit_error" if refusal.cause == LIMIT else _ANTHROPIC_TYPES.get(refusal.status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": refusal.sentence}}


def _openai(refusal: Refusal) -> dict[str, Any]:
    kind, code = _OPENAI_TYPES.get(refusal.status, "server_error"), refusal.ref
    if refusal.cause == LIMIT:
        kind, code = "rate_limit_error", "rate_limit_exceeded"
    return {"error": {"message": refusal.sentence, "type": kind, "param": None, "code": code}}


def _gemini(refusal: Refusal) -> dict[str, Any]:
    status = "RESOURCE_EXHAUSTED" if refusal.cause == LIMIT else _GEMINI_STATUS.get(refusal.status, "INTERNAL")
    return {"error": {"code": refusal.status, "message": refusal.sentence, "status": status}}


_FORMS: Final[dict[str, Callable[[Refusal], dict[str, Any]]]] = {
    ANTHROPIC_MESSAGES: _anthropic,
    OPENAI_CHAT: _openai,
    OPENAI_RESPONSES: _openai,
    GEMINI_GENERATE: _gemini,
}
