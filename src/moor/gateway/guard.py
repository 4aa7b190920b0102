"""Secrets in outgoing requests: known forms and patterns of the user's, masked, warned about or refused.

Only text is looked at: the strings of the request, decoded, but not signatures, encrypted thoughts and images, which
are no text and must come back as they are. The same text is masked the same way at every turn.
"""

from __future__ import annotations

import json
import logging
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from moor.domain.watch import MASK, OFF, REFUSE
from moor.gateway.places import status_of
from moor.wire import refusal as words
from moor.wire.refusal import Refusal

if TYPE_CHECKING:
    from moor.domain.session import Session
    from moor.domain.watch import Watch
    from moor.gateway.prepare import Prepared

_log = logging.getLogger(__name__)

KNOWN: Final[dict[str, str]] = {
    "a Databricks token": r"\bdapi[0-9a-f]{32}(?:-\d+)?\b|\bdose[0-9a-f]{32,}\b",
    "an AWS access key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_[A-Za-z0-9_]{22,}\b",
    "a GitLab token": r"\bglpat-[A-Za-z0-9_-]{20,}",
    "a Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "a model vendor's key": r"\bsk-(?:ant-|proj-|or-)?[A-Za-z0-9_-]{20,}",
    "a Google API key": r"\bAIza[0-9A-Za-z_-]{35}",
    "a Stripe key": r"\b[rs]k_live_[0-9A-Za-z]{20,}",
    "an npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "a private key": r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[\s\S]{20,12000}?-----END [A-Z ]{0,20}PRIVATE KEY-----",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "a password in an address": r"(?<=://)[^/\s:@\"'<>]{1,64}:[^/\s:@\"'<>]{3,128}(?=@)",
}
_HINTS: Final = re.compile(
    rb"dapi|dose|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox|sk-|AIza|k_live_|npm_|PRIVATE KEY|eyJ|://"
)
"""a body without any of these holds none of the known forms: most are done with after this one search"""
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"(?P<key>\s*:)?')
_NOT_TEXT: Final = frozenset(
    (
        b"signature",
        b"thoughtSignature",
        b"thought_signature",
        b"encrypted_content",
        b"data",
        b"image_url",
        b"url",
        b"file_data",
    )
)
"""keys under which encoded bytes stand"""
_ENCODED: Final = re.compile(
    rb'"(?:data:[^"\\,]{0,200},)?(?:(?:[A-Za-z0-9+/=]|\\[/nr]){64,}+|(?:[A-Za-z0-9=_-]|\\[nr]){256,}+)"'
)
"""no known form is so long in these signs alone; anything else under such a key is text, like a tool's argument"""
MASKED_RULE: Final = "guard-masked"
WARNED_RULE: Final = "guard-warned"


class Found(NamedTuple):
    """What the guard makes of a request."""

    body: bytes
    names: tuple[str, ...]
    """of the forms that were there; () for none"""


def look(watch: Watch, body: bytes) -> Found:
    """The body, masked where the guard masks, and what was found in it."""
    if watch.guard == OFF or (not watch.patterns and _HINTS.search(body) is None):
        return Found(body, ())
    forms = _forms(watch.patterns)
    names: dict[str, None] = {}
    pieces: list[bytes] = []
    done = 0
    key = b""
    for found in _STRING.finditer(body):
        if found["key"] is not None:
            key = body[found.start() + 1 : found.start("key") - 1]
            continue
        encoded = key in _NOT_TEXT and _ENCODED.fullmatch(found.group()) is not None
        if not encoded and (masked := _masked(found.group(), forms, names)) is not None:
            pieces += (body[done : found.start()], masked)
            done = found.end()
        key = b""
    if not names or watch.guard != MASK:
        return Found(body, tuple(names))
    return Found(b"".join((*pieces, body[done:])), tuple(names))


def masked(text: str) -> str:
    """Any text with the known forms masked."""
    for name, form in _forms(()):
        text = form.sub(f"[masked: {name}]", text)
    return text


def refusal(session: Session, names: tuple[str, ...]) -> Refusal:
    """The words in which a request with a secret is refused."""
    return Refusal(
        status=status_of(session, words.BAD_REQUEST),
        ref="secret-in-request",
        message=f"the request holds what looks like {', '.join(names)}, and was not sent",
        hint="take it out of the conversation, or start a new one; the rule stands under [guard]",
    )


def _masked(literal: bytes, forms: tuple[tuple[str, re.Pattern[str]], ...], names: dict[str, None]) -> bytes | None:
    """A JSON string with its secrets masked; None where it holds none. Notes the names."""
    if len(literal) < 8:
        return None
    try:
        text = after = json.loads(literal)
    except (ValueError, RecursionError):
        return None
    for name, form in forms:
        after, count = form.subn(f"[masked: {name}]", after)
        if count:
            names[name] = None
    return None if after == text else json.dumps(after, ensure_ascii=False).encode("utf-8", "surrogatepass")


@lru_cache(maxsize=8)
def _forms(patterns: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    own = [(f"a match of your pattern {place}", re.compile(text)) for place, text in enumerate(patterns, 1)]
    return (*((name, re.compile(text)) for name, text in KNOWN.items()), *own)


def guarded(session: Session, prepared: Prepared) -> tuple[Prepared, Refusal | None]:
    """A call as the guard lets it out, or why it does not."""
    found = look(session.watch, prepared.body)
    if not found.names:
        return prepared, None
    _log.warning("session %s: a request held %s (%s)", session.id, ", ".join(found.names), session.watch.guard)
    if session.watch.guard == REFUSE:
        return prepared, refusal(session, found.names)
    rule = MASKED_RULE if session.watch.guard == MASK else WARNED_RULE
    return prepared.masked(found.body, rule), None
