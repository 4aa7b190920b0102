"""Repairs that an upstream's refusals have shown to be needed, kept for a week: the next session need not ask again.

Not longer, because upstreams learn too; and a file that is gone or broken only costs the question.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Final

import msgspec

from moor.errors.base import MoorError
from moor.store.files import file_name, locked, read_bounded, write_private
from moor.store.home import Home

KEPT_S: Final = 7 * 86_400.0
_MAX_BYTES: Final = 256 * 1024
_Table = dict[str, dict[str, float]]
"""model to rule to when it was learned"""


class LearnedRules:
    """Of one upstream. All of it BLOCKS on a small file."""

    def __init__(self, home: Home, upstream: str) -> None:
        self._home = home
        self._path: Path = home.catalogues_dir / f"{file_name(upstream)}.learned.json"

    def load(self, now_s: float) -> dict[str, frozenset[str]]:
        """Model to rules; {} where nothing is known."""
        table = self._read(now_s)
        return {model: frozenset(rules) for model, rules in table.items() if rules}

    def add(self, model: str, rules: frozenset[str], now_s: float) -> None:
        """Keep them; a home that cannot be written keeps nothing."""
        with contextlib.suppress(MoorError, OSError):
            self._home.folder(self._home.catalogues_dir)
            with locked(self._path.with_suffix(".lock")):
                table = self._read(now_s)
                table.setdefault(model, {}).update(dict.fromkeys(rules, now_s))
                write_private(self._path, msgspec.json.encode(table))

    def _read(self, now_s: float) -> _Table:
        try:
            data = read_bounded(self._path, _MAX_BYTES)
            table = msgspec.json.decode(data, type=_Table) if data else {}
        except (MoorError, OSError, msgspec.DecodeError):
            return {}
        return {
            model: {rule: at for rule, at in rules.items() if 0 <= now_s - at < KEPT_S}
            for model, rules in table.items()
        }
