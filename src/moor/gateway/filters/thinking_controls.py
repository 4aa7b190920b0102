"""Adaptive thinking and `output_config` become a thinking budget, where the upstream refuses them (Messages dialect).

Source: facts/databricks 10.11 and agents-on-a-strict-wire: which models take them at which workspace is not known. So
this rule waits for the first refusal of a model that names one of them, and that call is repeated with it.
"""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_THINKING_CONTROLS
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import encode, value

_OUTPUT: Final = "output_config"
_THINKING: Final = "thinking"
_BETAS: Final = b"anthropic-beta"
_EFFORT_BETA: Final = b"effort-"
_ADAPTIVE: Final = b'"adaptive"'
_BUDGETS: Final = {"low": 4_096, "medium": 10_000, "high": 24_000}
_MOST: Final = 32_000
_LEAST: Final = 1_024
"""the smallest budget that is taken"""


def apply(draft: Draft) -> bool:
    """Repair the body and the header of betas."""
    raw = draft.get(_OUTPUT)
    output: Any = value(raw) if raw is not None else None
    effort = output.get("effort") if isinstance(output, dict) else None
    changed = raw is not None
    if changed:
        draft.remove(_OUTPUT)
    thinking = draft.get(_THINKING)
    if thinking is not None and _ADAPTIVE in thinking:
        _set_budget(draft, effort)
        changed = True
    return _drop_beta(draft) or changed


def _set_budget(draft: Draft, effort: Any) -> None:
    limit = draft.get("max_tokens")
    room = int(limit) // 2 if limit is not None and limit.isdigit() and len(limit) < 10 else 0
    budget = min(_BUDGETS.get(effort, _MOST) if isinstance(effort, str) else _BUDGETS["high"], room)
    if budget < _LEAST:
        draft.remove(_THINKING)
    else:
        draft.set(_THINKING, encode({"type": "enabled", "budget_tokens": budget}))


def _drop_beta(draft: Draft) -> bool:
    sent = draft.headers.get(_BETAS, b"")
    values = [item.strip() for item in sent.split(b",")]
    kept = [item for item in values if not item.startswith(_EFFORT_BETA)]
    if len(kept) == len(values):
        return False
    if kept:
        draft.headers[_BETAS] = b",".join(kept)
    else:
        del draft.headers[_BETAS]
    return True


FILTER: Final = Filter(
    name="thinking-controls",
    priority=8,
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_THINKING_CONTROLS,
    told_by=(b"output_config", b"'adaptive'", b"adaptive thinking", b"effort-2025"),
    why="400 on `output_config` or adaptive thinking; Claude Code sends both to models that it does not know",
    since="0.1.0",
    trigger=(b'"output_config"', _ADAPTIVE),
    fields=(_OUTPUT, "thinking[adaptive]", "header anthropic-beta[effort]"),
    apply=apply,
)
