"""`thinking.display` leaves the request, where the upstream refuses it (Messages dialect).

It says whether thoughts come in full, summed up or not at all; Copilot CLI 1.0.102 sends it for its sub-agents. Which
workspaces take it is not known, so this rule waits for the first refusal of a model that names it, and that call is
repeated with it.
"""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_THINKING_CONTROLS
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import encode, value

_THINKING: Final = "thinking"
_KEY: Final = "display"


def apply(draft: Draft) -> bool:
    """Repair `thinking`."""
    raw = draft.get(_THINKING)
    thinking: Any = value(raw) if raw is not None else None
    if not isinstance(thinking, dict) or _KEY not in thinking:
        return False
    draft.set(_THINKING, encode({key: item for key, item in thinking.items() if key != _KEY}))
    return True


FILTER: Final = Filter(
    name="thinking-display",
    priority=9,
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_THINKING_CONTROLS,
    told_by=(b"thinking.enabled.display", b"thinking.disabled.display", b"thinking.display"),
    why="400: thinking.enabled.display: Extra inputs are not permitted; Copilot CLI's sub-agents ask for summaries",
    since="0.1.0",
    trigger=(b'"display"',),
    fields=("thinking.display",),
    apply=apply,
)
