"""What a refusal means, by one table, for all the shapes of facts/databricks 0.3."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from moor.errors.base import MoorError
from moor.errors.net import ClockSkew
from moor.errors.upstream import (
    CredentialRefused,
    FeatureOff,
    Forbidden,
    NotFound,
    RateLimited,
    UpstreamError,
    UpstreamFailing,
)
from moor.net.answer import Answer
from moor.secrets import redact
from moor.workspace.dead import is_dead_credential

SKEW_MAX_S: Final = 300.0
_SAID_MAX: Final = 400
_PRE: Final = re.compile(r"<pre[^>]*>(.*?)</pre>", re.DOTALL | re.IGNORECASE)
_TAGS: Final = re.compile(r"<[^>]+>")
_CODE: Final = re.compile(r"^([A-Z][A-Z_]{3,}): (.*)$", re.DOTALL)

_BY_CODE: Final[dict[str, type[UpstreamError]]] = {
    "FEATURE_DISABLED": FeatureOff,
    "REQUEST_LIMIT_EXCEEDED": RateLimited,
    "RESOURCE_EXHAUSTED": RateLimited,
    "PERMISSION_DENIED": Forbidden,
    "RESOURCE_DOES_NOT_EXIST": NotFound,
    "SCHEMA_DOES_NOT_EXIST": NotFound,
    "ENDPOINT_NOT_FOUND": NotFound,
    "NOT_FOUND": NotFound,
    "TEMPORARILY_UNAVAILABLE": UpstreamFailing,
    "DEADLINE_EXCEEDED": UpstreamFailing,
}
_BY_STATUS: Final[dict[int, type[UpstreamError]]] = {
    403: Forbidden,
    404: NotFound,
    429: RateLimited,
    499: UpstreamFailing,
}


def refusal_of(answer: Answer, what: str, now: float) -> MoorError:
    """The error for an answer that is no success. `what`: the call in words; `now`: our clock."""
    if answer.is_html and answer.status < 500 and not _PRE.search(answer.body[:65536].decode(errors="replace")):
        return answer.not_json()
    code, said = words_of(answer.body)
    if is_dead_credential(answer.status, answer.body):
        skew = clock_skew(answer, now)
        if skew is not None:
            return ClockSkew(answer.url.split("/")[2], skew)
        return CredentialRefused(what, answer.status, said, code)
    kind = _BY_CODE.get(code) or _BY_STATUS.get(answer.status)
    if kind is None:
        kind = UpstreamFailing if answer.status >= 500 else UpstreamError
    if "feature is not available" in said.lower():
        kind = FeatureOff
    return kind(what, answer.status, said, code=code)


def clock_skew(answer: Answer, now: float) -> float | None:
    """Seconds that our clock is behind the host's, when it is too much; None when it is fine or unknown."""
    theirs = answer.server_time()
    if theirs is None or abs(theirs - now) <= SKEW_MAX_S:
        return None
    return theirs - now


def words_of(body: bytes) -> tuple[str, str]:
    """(code, sentence) of an error body in any of its shapes; redacted and short."""
    try:
        value = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return _from_text(body[:65536].decode(errors="replace"))
    if not isinstance(value, dict):
        return "", _short(str(value))
    code, said = _from_object(value)
    return code, _short(said)


def _from_object(value: dict[str, Any]) -> tuple[str, str]:
    error = value.get("error")
    if isinstance(error, dict):
        return str(error.get("code") or error.get("type") or ""), str(error.get("message") or "")
    code = value.get("error_code") or value.get("errorCode") or (error if isinstance(error, str) else "")
    said = (
        value.get("message")
        or value.get("error_description")
        or value.get("errorSummary")
        or value.get("detail")
        or ""
    )
    return str(code), str(said)


def _from_text(text: str) -> tuple[str, str]:
    pre = _PRE.search(text)
    plain = _TAGS.sub("", pre.group(1) if pre else text).strip()
    coded = _CODE.match(plain)
    return (coded.group(1), _short(coded.group(2))) if coded else ("", _short(plain))


def _short(text: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return redact(line if len(line) <= _SAID_MAX else line[:_SAID_MAX] + "…")
