"""Adaptive thinking becomes a thinking budget, where the upstream refuses it (Messages dialect).

Source: facts/databricks 10.11 and agents-on-a-strict-wire: which models take it at which workspace is not known. So
this rule waits for the first refusal of a model that names it, and that call is repeated with it.
"""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_THINKING_CONTROLS
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import encode, value

_THINKING: Final = "thinking"
_ADAPTIVE: Final = b'"adaptive"'
_BUDGETS: Final = {"low": 4_096, "medium": 10_000, "high": 24_000}
_USUAL: Final = "high"
"""the effort of a request that names none"""
_MOST: Final = 32_000
_LEAST: Final = 1_024
"""the smallest budget that is taken"""


def apply(draft: Draft) -> bool:
    """Repair `thinking`, by the effort that the agent asked for."""
    thinking = draft.get(_THINKING)
    if thinking is None or _ADAPTIVE not in thinking:
        return False
    limit = draft.get("max_tokens")
    room = int(limit) // 2 if limit is not None and limit.isdigit() and len(limit) < 10 else 0
    budget = min(_BUDGETS.get(_effort(draft), _MOST), room)
    if budget < _LEAST:
        draft.remove(_THINKING)
    else:
        draft.set(_THINKING, encode({"type": "enabled", "budget_tokens": budget}))
    return True


def _effort(draft: Draft) -> str:
    raw = draft.index.raw("output_config")
    output: Any = value(raw) if raw is not None else None
    effort = output.get("effort") if isinstance(output, dict) else None
    return effort if isinstance(effort, str) else _USUAL


FILTER: Final = Filter(
    name="adaptive-thinking",
    priority=8,
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_THINKING_CONTROLS,
    told_by=(b"'adaptive'", b"adaptive thinking"),
    why="400 on thinking of type adaptive; Claude Code asks every model for it that it does not know as an older one",
    since="0.1.0",
    trigger=(_ADAPTIVE,),
    fields=("thinking[adaptive]",),
    apply=apply,
)
