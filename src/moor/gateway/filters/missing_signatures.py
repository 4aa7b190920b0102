"""A function call without its thought signature gets the word that stands for a missing one (Gemini dialect).

Source: facts/databricks 2.7 row 16; the word is the one that Gemini CLI itself writes into a history that it resumes,
and the API documents it for conversations that began with another model. An agent that keeps no signatures, or a
session that changes to a Gemini model on its way, would be refused at every further call. The rule waits for that.
"""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import GEMINI_GENERATE
from moor.domain.quirks import NEEDS_THOUGHT_SIGNATURES
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import encode, map_elements, value
from moor.wire.words import holds

_CALL: Final = "functionCall"
_KEY: Final = "thoughtSignature"
_SKIP: Final = "skip_thought_signature_validator"


def apply(draft: Draft) -> bool:
    """Repair `contents`; each is repaired alone, so that a conversation's beginning keeps its bytes as it grows."""
    raw = draft.get("contents")
    repaired = map_elements(raw, _content) if raw is not None and raw.startswith(b"[") else None
    if repaired is None:
        return False
    draft.set("contents", repaired)
    return True


def _content(raw: bytes) -> bytes:
    content: Any = value(raw) if holds(raw, b'"functionCall"') else None
    parts = content.get("parts") if isinstance(content, dict) else None
    calls = [part for part in parts if isinstance(part, dict) and _CALL in part] if isinstance(parts, list) else []
    if not calls or calls[0].get(_KEY):
        return raw  # calls that were made at once share the signature of the first
    calls[0][_KEY] = _SKIP
    return encode(content)


FILTER: Final = Filter(
    name="missing-signatures",
    priority=12,
    dialects=(GEMINI_GENERATE,),
    quirk=NEEDS_THOUGHT_SIGNATURES,
    told_by=(b"thought_signature", b"thoughtSignature"),
    why="400: Function call is missing a thought_signature; calls that another model made have none",
    since="0.1.0",
    where="contents",
    trigger=(b'"functionCall"',),
    fields=("contents[].parts[functionCall].thoughtSignature",),
    apply=apply,
)
