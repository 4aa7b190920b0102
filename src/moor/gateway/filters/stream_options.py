"""`stream_options` is taken out for Gemini-backed models on the chat route."""

from __future__ import annotations

from typing import Final

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import REFUSES_STREAM_OPTIONS_GEMINI
from moor.gateway.filters.base import Draft, Filter
from moor.workspace.classify import GEMINI

_KEY: Final = "stream_options"


def apply(draft: Draft) -> bool:
    """Take the key out."""
    if not draft.has(_KEY):
        return False
    draft.remove(_KEY)
    return True


FILTER: Final = Filter(
    name="stream-options",
    priority=30,
    dialects=(OPENAI_CHAT,),
    quirk=REFUSES_STREAM_OPTIONS_GEMINI,
    families=(GEMINI,),
    why="Gemini-backed models answer 400 to stream_options; OpenCode and Hermes always send it",
    since="0.1.0",
    fields=("stream_options",),
    where="stream_options",
    apply=apply,
)
