"""`temperature` is taken out for models that refuse it."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from moor.domain.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.quirks import REFUSES_TEMPERATURE
from moor.gateway.filters.base import Draft, Filter
from moor.workspace.classify import CLAUDE, GPT
from moor.workspace.naming import normal_id

_KEY: Final = "temperature"
_REFUSING: Final = ("claude-opus-5", "gpt-5-6-sol")
"""normal ids (facts/databricks 2.7 row 12, recorded)"""


def apply(draft: Draft) -> bool:
    """Take the key out; other models keep theirs."""
    if not draft.has(_KEY) or not _refuses(draft.model.id):
        return False
    draft.remove(_KEY)
    return True


@lru_cache(maxsize=256)
def _refuses(model_id: str) -> bool:
    return normal_id(model_id).rpartition("/")[2] in _REFUSING


FILTER: Final = Filter(
    name="temperature",
    priority=30,
    dialects=(ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES),
    quirk=REFUSES_TEMPERATURE,
    families=(CLAUDE, GPT),
    why=f"400 from {' and '.join(_REFUSING)}",
    since="0.1.0",
    fields=(_KEY,),
    where=_KEY,
    apply=apply,
)
