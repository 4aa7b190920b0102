"""List prices of well-known models, for upstreams that state none.

Dollars per million tokens as the vendors published them. A workspace's own price list goes first
(`moor.workspace.prices`). A model that stands in neither has no price, never 0, and never a neighbour's.
"""

from __future__ import annotations

from typing import Final

from moor.domain.models import NANO, Price
from moor.workspace.naming import normal_id

SOURCE: Final = "built-in table of vendors' list prices"
DATE: Final = "2026-05-01"

_OPUS: Final = (5.0, 25.0, 0.5, 6.25)
_SONNET: Final = (3.0, 15.0, 0.3, 3.75)
_GPT: Final = (1.25, 10.0, 0.125, 1.25)
_TABLE: Final[dict[str, tuple[float, float, float, float]]] = {
    # input, output, cache read, cache write (5 minutes)
    "claude-opus-4": (15.0, 75.0, 1.5, 18.75),
    "claude-opus-4-1": (15.0, 75.0, 1.5, 18.75),
    "claude-opus-4-5": _OPUS,
    "claude-opus-4-6": _OPUS,
    "claude-sonnet-4": _SONNET,
    "claude-sonnet-4-5": _SONNET,
    "claude-sonnet-4-6": _SONNET,
    "claude-haiku-4-5": (1.0, 5.0, 0.1, 1.25),
    "gpt-5": _GPT,
    "gpt-5-1": _GPT,
    "gpt-5-1-codex-max": _GPT,
    "gpt-5-mini": (0.25, 2.0, 0.025, 0.25),
    "gpt-5-nano": (0.05, 0.4, 0.005, 0.05),
    "gpt-5-2": (1.75, 14.0, 0.175, 1.75),
    "gpt-5-2-codex": (1.75, 14.0, 0.175, 1.75),
    "gpt-5-3-codex": (1.75, 14.0, 0.175, 1.75),
    "gpt-5-4": (2.5, 15.0, 0.25, 2.5),
    "gpt-5-5": (5.0, 30.0, 0.5, 5.0),
    "gpt-oss-120b": (0.15, 0.6, 0.15, 0.15),
    "gpt-oss-20b": (0.07, 0.3, 0.07, 0.07),
    "gemini-2-5-pro": (1.25, 10.0, 0.125, 1.25),
    "gemini-2-5-flash": (0.3, 2.5, 0.03, 0.3),
    "gemini-3-1-pro": (2.0, 12.0, 0.2, 2.0),
    "llama-4-maverick": (0.5, 1.5, 0.5, 0.5),
    "meta-llama-3-3-70b-instruct": (0.5, 1.5, 0.5, 0.5),
}


def price_of(model_id: str) -> Price | None:
    """The list price of that model; None where the table has none (the gateway then refuses money caps)."""
    row = _TABLE.get(normal_id(model_id))
    if row is None:
        return None
    fresh, output, read, write = (round(dollars * NANO) for dollars in row)
    return Price(fresh, output, read, write, source=SOURCE, date=DATE)
