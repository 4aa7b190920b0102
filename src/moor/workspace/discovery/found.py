"""What one listing says of one model, and what one listing gave."""

from __future__ import annotations

from typing import Any, NamedTuple


class Found(NamedTuple):
    """One model as one listing has it."""

    id: str
    source: str
    """the listing's own name"""
    api_types: tuple[str, ...] = ()
    """as stated; empty where the listing states none"""
    ready: bool | None = None
    display_name: str = ""
    task: str = ""
    on_gateway: bool | None = None
    """whether /ai-gateway takes it; None where the listing does not say"""


class Listing(NamedTuple):
    """Models, and one sentence when the listing failed or was cut (8.7)."""

    models: tuple[Found, ...]
    reason: str = ""


def dicts(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; [] for anything else, for listings leave empty lists out."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def texts(value: Any) -> tuple[str, ...]:
    """The strings of a list."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
