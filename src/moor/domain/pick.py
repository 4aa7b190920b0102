"""Which model to take when nobody named one: the newest of the family that coding agents are tested on most."""

from __future__ import annotations

import re
from collections.abc import Iterable

from moor.domain.models import Model

_MAIN = ("claude-sonnet", "claude-opus", "gpt-", "gemini-", "claude-")
_SMALL = ("claude-haiku", "flash", "mini", "luna", "nano")


def main_model(models: Iterable[Model]) -> Model | None:
    """For the main work; None only when there are no models."""
    return _first(_usable(models), _MAIN)


def small_model(models: Iterable[Model], main: Model) -> Model:
    """For titles and summaries: a small one of the main model's family, else of any, else the main one."""
    usable = _usable(models)
    small = [model for model in usable if any(word in model.id for word in _SMALL)]
    near = [model for model in small if model.family == main.family]
    return _first(near, _SMALL) or _first(small, _SMALL) or main


def version_of(model_id: str) -> tuple[int, ...]:
    """The numbers in an id, for `newest first`: `claude-opus-4-8` is (4, 8)."""
    return tuple(int(number) for number in re.findall(r"\d+", model_id))


def _usable(models: Iterable[Model]) -> list[Model]:
    return [model for model in models if model.ready is not False and model.dialects]


def _first(models: list[Model], words: tuple[str, ...]) -> Model | None:
    for word in words:
        named = [model for model in models if word in model.id]
        if named:
            return max(named, key=lambda model: version_of(model.id))
    return models[0] if models else None
