"""`output_config` and its beta leave the request, where the upstream refuses them (Messages dialect).

Source: facts/databricks 10.11 and agents-on-a-strict-wire. It carries the effort and the form of the answer, so it is
kept where it is taken: this rule waits for the first refusal of a model that names it, and that call is repeated.
"""

from __future__ import annotations

from typing import Final

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_THINKING_CONTROLS
from moor.gateway.filters.base import Draft, Filter

_KEY: Final = "output_config"
_WORD: Final = b'"output_config"'
_BETAS: Final = b"anthropic-beta"
_EFFORT_BETA: Final = b"effort-"


def apply(draft: Draft) -> bool:
    """Repair the body and the header of betas."""
    if not draft.has(_KEY):
        return False
    draft.remove(_KEY)
    values = [item.strip() for item in draft.headers.get(_BETAS, b"").split(b",")]
    kept = [item for item in values if not item.startswith(_EFFORT_BETA)]
    if len(kept) < len(values) and kept:
        draft.headers[_BETAS] = b",".join(kept)
    elif len(kept) < len(values):
        del draft.headers[_BETAS]
    return True


FILTER: Final = Filter(
    name="output-config",
    priority=7,
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_THINKING_CONTROLS,
    told_by=(b"output_config", b"effort-2025"),
    why="400: Extra inputs are not permitted; Claude Code sends an effort to every model but the small ones",
    since="0.1.0",
    trigger=(_WORD,),
    fields=(_KEY, "header anthropic-beta[effort]"),
    apply=apply,
)
