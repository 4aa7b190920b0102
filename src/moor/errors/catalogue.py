"""Every error class, for the reference page and its test; loaded by nothing else."""

from __future__ import annotations

import importlib
import pkgutil

import moor.errors
from moor.errors.base import MoorError


def error_classes() -> list[type[MoorError]]:
    """All subclasses of MoorError declared below `moor.errors`, by ref."""
    for info in pkgutil.iter_modules(moor.errors.__path__):
        importlib.import_module(f"moor.errors.{info.name}")
    found: dict[str, type[MoorError]] = {}
    waiting: list[type[MoorError]] = [MoorError]
    while waiting:
        for cls in waiting.pop().__subclasses__():
            found[cls.ref] = cls
            waiting.append(cls)
    return [found[ref] for ref in sorted(found)]
