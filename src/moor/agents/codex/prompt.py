"""The base prompt that the installed Codex has for models that it knows, kept for those that it does not.

A model catalogue must name a prompt for each entry, and Codex's own is the best one for Codex's tools. Its command
`debug models` prints it; that takes 0.1 s and is done once for each version, before the first start.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from moor.wire.catalogue import PROMPT

_TIMEOUT_S: Final = 30.0
_NAMES_A_VENDOR: Final = "You are Codex, a coding agent based on GPT-5."
_NAMES_NONE: Final = "You are Codex, a coding agent."


def keep_prompt(program: str, target: Path) -> None:
    """Write the prompt to the file, in one step; a plain one of ours where the program has none to give."""
    text = _read_prompt(program, target.parent) or PROMPT
    part = target.with_name(f"{target.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.chmod(0o600)
    part.replace(target)


def pick_prompt(listing: Any) -> str:
    """The prompt of the newest model that works with plain function tools, as ours do; empty when there is none.

    `listing`: what `codex debug models` prints.
    """
    models = listing.get("models") if isinstance(listing, dict) else None
    for model in models if isinstance(models, list) else []:
        if (
            isinstance(model, dict)
            and model.get("tool_mode") is None
            and isinstance(model.get("base_instructions"), str)
        ):
            return str(model["base_instructions"]).replace(_NAMES_A_VENDOR, _NAMES_NONE)
    return ""


def _read_prompt(program: str, folder: Path) -> str:
    """In an empty home of its own: the session's config names the file that is still to be written."""
    with tempfile.TemporaryDirectory(dir=folder) as home:
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        try:
            done = subprocess.run(
                [program, "debug", "models"],
                env={**env, "CODEX_HOME": home},
                cwd=home,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
            return pick_prompt(json.loads(done.stdout))
        except (OSError, ValueError, subprocess.TimeoutExpired):
            return ""


if __name__ == "__main__":
    keep_prompt(sys.argv[1], Path(sys.argv[2]))
