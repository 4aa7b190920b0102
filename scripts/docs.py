"""Writes the generated reference pages: `python -m scripts.docs [--check]`.

With --check nothing is written; the exit code is 1 when a page is not fresh.
"""

from __future__ import annotations

import importlib
import sys

from scripts.reference.notes import ROOT

FOLDER = ROOT / "docs" / "reference"

PAGES = {
    "commands.md": "scripts.reference.commands",
    "settings.md": "scripts.reference.settings",
    "errors.md": "scripts.reference.errors",
    "exit-codes.md": "scripts.reference.exit_codes",
    "features.md": "scripts.reference.features",
    "agents.md": "scripts.reference.agents",
    "agent-features.md": "scripts.reference.agent_features",
    "filters.md": "scripts.reference.filters",
    "upstreams.md": "scripts.reference.upstreams",
}
"""file name to the module whose `render()` writes it"""


def rendered(name: str) -> str:
    """The page as the code says it now."""
    text: str = importlib.import_module(PAGES[name]).render()
    return text


def stale(name: str) -> bool:
    """Whether the committed page differs from the code."""
    path = FOLDER / name
    return not path.exists() or path.read_text(encoding="utf-8") != rendered(name)


def main() -> int:
    """Write what changed, or say what would."""
    behind = [name for name in PAGES if stale(name)]
    if "--check" in sys.argv:
        print("\n".join(f"not fresh: docs/reference/{name}; type: make docs" for name in behind))
        return 1 if behind else 0
    for name in behind:
        (FOLDER / name).write_text(rendered(name), encoding="utf-8")
        print(f"wrote docs/reference/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
