"""`client_metadata` leaves the Responses dialect: the agent's own bookkeeping, which names folders and machine."""

from __future__ import annotations

from typing import Final

from moor.domain.dialects import OPENAI_RESPONSES
from moor.domain.quirks import REFUSES_CODEX_TOOLS
from moor.gateway.filters.base import Draft, Filter

_KEY: Final = "client_metadata"


def apply(draft: Draft) -> bool:
    """Take it out."""
    if not draft.has(_KEY):
        return False
    draft.remove(_KEY)
    return True


FILTER: Final = Filter(
    name="client-metadata",
    priority=5,
    dialects=(OPENAI_RESPONSES,),
    quirk=REFUSES_CODEX_TOOLS,
    why="400: Extra inputs are not permitted; Codex sends it with every call",
    since="0.1.0",
    fields=(_KEY,),
    trigger=(b'"client_metadata"',),
    apply=apply,
)
