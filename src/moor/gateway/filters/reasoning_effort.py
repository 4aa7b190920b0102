"""`reasoning_effort` is taken out for Claude models on the chat route."""

from __future__ import annotations

from typing import Final

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import REFUSES_REASONING_EFFORT_CLAUDE
from moor.gateway.filters.base import Draft, Filter
from moor.workspace.classify import CLAUDE

_KEY: Final = "reasoning_effort"


def apply(draft: Draft) -> bool:
    """Take the key out."""
    if not draft.has(_KEY):
        return False
    draft.remove(_KEY)
    return True


FILTER: Final = Filter(
    name="reasoning-effort",
    priority=30,
    dialects=(OPENAI_CHAT,),
    quirk=REFUSES_REASONING_EFFORT_CLAUDE,
    families=(CLAUDE,),
    why="Claude models answer 400 to it on the chat route; OpenCode sends it with a chosen variant",
    since="0.1.0",
    fields=(_KEY,),
    where=_KEY,
    apply=apply,
)
