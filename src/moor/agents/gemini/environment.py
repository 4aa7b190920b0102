"""Where Gemini CLI lives during a session: a home of the session's own, with what is to last linked into it.

What was tried on 0.61.0:
- GEMINI_CLI_HOME takes HOME's place for what Gemini CLI looks up; HOME stays the user's, for git, ssh and gh.
- settings, rules, skills and commands stand in the session's own folder, so that launches side by side do not
  overwrite each other's; conversations (`tmp`), checkpoints (`history`) and what it learns (`GEMINI.md`) are links.
- settings for a whole machine count only where root owns every folder above them: moor cannot use that way, and
  points the two variables at files that do not exist, so that nothing of another's counts.
- GEMINI_CLI_NO_RELAUNCH: it starts itself a second time otherwise, with half of the machine's memory as its limit;
  Node.js is told that limit at once, in place of the user's own options for it.
- it dumps conversations into the temporary folder when a call fails, so TMPDIR is the session's own.
- programs it starts get the user's own environment back, by the start script.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from moor.agents.base import LaunchContext
from moor.agents.gemini.release import ID
from moor.domain.plan import PlannedFile, PlannedLink

START: Final = Path(__file__).with_name("start.cjs")
LEARNED: Final = "GEMINI.md"
"""the rules file that Gemini CLI writes what it learns into"""
_REMOVED: Final = ("GEMINI_", "GOOGLE_", "CLOUD_SHELL", "SANDBOX", "SEATBELT_PROFILE", "OTEL_", "NODE_OPTIONS")
_LASTING: Final = ("tmp", "history", LEARNED, "state.json", "installation_id")
_LEFT_ALONE: Final = ("PATH", "PWD", "HOME")


class Places:
    """The private folders of one launch."""

    def __init__(self, context: LaunchContext) -> None:
        self.home = context.session_home / ID
        """GEMINI_CLI_HOME"""
        self.folder = self.home / ".gemini"
        self.temporary = context.session_home / "tmp"
        self.policy = self.folder / "policies" / "moor.toml"
        self.kept = context.home


def environment(context: LaunchContext) -> dict[str, str]:
    """The whole environment."""
    places = Places(context)
    env = {name: value for name, value in context.environ.items() if not name.startswith(_REMOVED)}
    env["GEMINI_CLI_HOME"] = str(places.home)
    env["GEMINI_CLI_SYSTEM_SETTINGS_PATH"] = str(places.home / "no-settings.json")
    env["GEMINI_CLI_SYSTEM_DEFAULTS_PATH"] = str(places.home / "no-defaults.json")
    env["GEMINI_CLI_NO_RELAUNCH"] = "true"
    env["GEMINI_CLI_TRUST_WORKSPACE"] = "true"
    env["GOOGLE_GEMINI_BASE_URL"] = f"{context.gateway_url}/gemini"
    env["GEMINI_API_KEY"] = context.key.reveal()
    env["NO_BROWSER"] = "true"
    env["NODE_OPTIONS"] = _memory_flag()
    env["TMPDIR"] = str(places.temporary)
    return env


def start_file(context: LaunchContext, env: dict[str, str]) -> PlannedFile:
    """What the start script gives back to programs: name to the user's own value, null where there was none."""
    names = sorted({*env, *context.environ} - set(_LEFT_ALONE))
    back = {name: context.environ.get(name) for name in names if context.environ.get(name) != env.get(name)}
    return PlannedFile(str(Places(context).home / "start.json"), json.dumps(back).encode())


def links(context: LaunchContext) -> tuple[PlannedLink, ...]:
    """What outlives the session."""
    places = Places(context)
    return tuple(PlannedLink(str(places.folder / name), str(places.kept / name)) for name in _LASTING)


def folders(context: LaunchContext) -> list[PlannedFile]:
    """Files that make the folders stand which a link or a variable names."""
    places = Places(context)
    return [
        PlannedFile(str(folder / ".keep"), b"")
        for folder in (places.temporary, places.kept / "tmp", places.kept / "history")
    ]


def _memory_flag() -> str:
    """Half of the machine's memory, as Gemini CLI would choose it."""
    half = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2 // (1 << 20)
    return f"--max-old-space-size={half}"
