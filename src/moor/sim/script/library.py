"""The scenarios at hand: the built-in files, and those of a directory of the user's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from moor.errors.sim import ScenarioInvalid, ScenarioUnknown
from moor.sim.script.scenario import Scenario, parse

BUILT_IN: Final = Path(__file__).resolve().parent.parent / "scenarios"
_ADDRESS = re.compile(r"(?<![\w/.@-])sim:([a-z][a-z0-9-]*)((?::[^\s:\"'`<>()\[\]]+)*)")


class Library:
    """Scenarios by name."""

    def __init__(self, scenarios: dict[str, Scenario]) -> None:
        self._scenarios = scenarios

    @classmethod
    def load(cls, extra: Path | None = None) -> Library:
        """The built-in scenarios and those of `extra`. Raises ScenarioInvalid."""
        found: dict[str, Scenario] = {}
        for folder in (BUILT_IN, extra):
            if folder is None:
                continue
            if not folder.is_dir():
                raise ScenarioInvalid(str(folder), "is no directory")
            for path in sorted(folder.glob("*.toml")):
                found[path.stem] = parse(path.stem, _text(path), str(path))
        return cls(found)

    def get(self, name: str) -> Scenario:
        """The scenario of that name. Raises ScenarioUnknown."""
        if name not in self._scenarios:
            raise ScenarioUnknown(name, f"there is none of that name; there are {', '.join(self.names())}")
        return self._scenarios[name]

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._scenarios)

    def files(self, name: str) -> dict[str, str]:
        """The files a scenario plays on, text by relative path."""
        return dict(self.get(name).files)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ScenarioInvalid(str(path), str(problem)) from problem


def find_address(text: str) -> str:
    """The last `name:first:second` that `sim:` addresses in a text, or ""."""
    found = list(_ADDRESS.finditer(text))
    return "" if not found else found[-1].group(1) + found[-1].group(2).rstrip(".,;!?")


def split_address(address: str) -> tuple[str, list[str]]:
    """Name and parameters of an address."""
    name, *given = address.split(":")
    return name, given
