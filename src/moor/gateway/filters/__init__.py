"""Repairs on the wire: one rule a file, registered here by name. See `moor.gateway.filters.base`."""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Final

from moor.errors.gateway import FilterConflictError
from moor.gateway.filters.base import Filter

FILTERS: Final[dict[str, str]] = {}


@lru_cache(maxsize=1)
def all_filters() -> tuple[Filter, ...]:
    """Every registered filter in the order in which they run. Raises FilterConflictError."""
    loaded = [_load(name, path) for name, path in FILTERS.items()]
    loaded.sort(key=lambda item: (item.priority, item.name))
    check_conflicts(loaded)
    return tuple(loaded)


def _load(name: str, path: str) -> Filter:
    module, _, attribute = path.partition(":")
    found: Filter = getattr(importlib.import_module(module), attribute)
    if found.name != name:
        raise FilterConflictError(first=name, second=found.name, field="name")
    return found


def check_conflicts(filters: list[Filter]) -> None:
    """Two filters must not touch the same field of the same dialect. Raises FilterConflictError."""
    owner: dict[tuple[str, str, str], str] = {}
    for item in filters:
        for dialect in item.dialects:
            for field in item.fields:
                for phase in item.phases:
                    other = owner.setdefault((phase, dialect, field), item.name)
                    if other != item.name:
                        raise FilterConflictError(first=other, second=item.name, field=field)
