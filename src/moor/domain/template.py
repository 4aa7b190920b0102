"""Templates of described agents: `{name}` from a closed set of names, `{{name}}` for the braces themselves.

What else stands in braces is left alone, so that JSON and code can be written as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

_NAME: Final = re.compile(r"\{\{([a-z][a-z0-9_]*)\}\}|\{([a-z][a-z0-9_]*)\}")

KEY: Final = "key"
"""the session's key: in variables and private files only, for every user of the machine can read command lines"""
TRUSTED_KEY: Final = "trusted_key"
"""the key in a repository that is trusted, else nothing: where the repository's own variables would win otherwise"""
PROMPT: Final = "prompt"
MODELS: Final = "models"
EFFORT: Final = "effort"
INSTALL: Final = "install"
NODE: Final = "node"

PLACES: Final = frozenset({"home", "session_home", "user_home", "cwd", INSTALL, NODE})
"""folders and programs of a launch"""
MACHINE: Final = frozenset({"os", "cpu", "libc"})
"""`linux` or `darwin`; `x64` or `arm64`; `musl` or nothing: parts of package names"""
MODEL: Final = frozenset({"model", "model_name", "context", "max_output", "max_prompt", "dialect", "url"})
"""of the main model, and in `model_entry` of each model; `url` is the gateway's address for its dialect"""
ADDRESSES: Final = frozenset({"gateway", "anthropic_url", "openai_url", "gemini_url"})
SESSION: Final = frozenset(
    {
        KEY,
        "small_model",
        "small_model_name",
        EFFORT,
        "session",
        TRUSTED_KEY,
        "trust",
        "untrusted",
        "trusted_folder",
        "untrusted_folder",
        "rules",
    }
)
NAMES: Final = PLACES | MACHINE | MODEL | ADDRESSES | SESSION | {PROMPT, MODELS}


def names_in(text: str) -> list[str]:
    """The names that the template asks for, in order."""
    return [found.group(2) for found in _NAME.finditer(text) if found.group(2)]


def render(text: str, values: Mapping[str, str], quote: Callable[[str], str] = str) -> str:
    """The text with its names replaced, each value quoted for the place it stands in. Raises KeyError.

    `{models}` is put in as it is: it was rendered from a template of its own.
    """

    def value(found: re.Match[str]) -> str:
        if found.group(1):
            return found.group(0)[1:-1]
        name = found.group(2)
        return values[name] if name == MODELS else quote(values[name])

    return _NAME.sub(value, text)
