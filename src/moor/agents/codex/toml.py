"""Writing TOML values as `codex -c KEY=VALUE` takes them. The standard library only reads TOML."""

from __future__ import annotations

import json
from typing import Any


def settings(config: dict[str, Any]) -> list[str]:
    """`KEY=VALUE` for each key. Values: text, numbers, truth values, lists and objects; a None is left out."""
    return [f"{name}={_value(value)}" for name, value in config.items() if value is not None]


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, dict):
        inside = ", ".join(f"{_text(name)} = {_value(item)}" for name, item in value.items() if item is not None)
        return "{" + inside + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return _text(str(value))


def _text(text: str) -> str:
    """A basic string: the escapes of JSON, and DEL, which JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
