"""The machine's own Codex settings, which beat every other, the command line among them (facts/codex 2)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

MANAGED: Final = Path("/etc/codex/managed_config.toml")
_REROUTING: Final = ("model_provider", "model_providers", "openai_base_url", "profile", "model_catalog_json", "model")


def managed_notes(path: Path = MANAGED) -> list[str]:
    """A sentence for each setting there that reroutes Codex; [] on most machines."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    import tomllib

    try:
        config = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return []
    return [f"{path} sets {name}, which beats moor's: calls may fail" for name in config if name in _REROUTING]
