"""What OpenCode sees of the user's own, and its conversations: carried by its own `export` and `import`.

Tried on 1.18.33: both work on the folder that XDG_DATA_HOME names, `session list` lists those of the project it
stands in, and an import of an id that is there replaces it without a question. The user's own database is only ever
read as a copy: a program that opens it creates and migrates files. An export into it is done by the user's own
OpenCode where PATH has one, so that its form stays that of the version which reads it.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

from moor.agents.base import Transfer, TransferContext
from moor.agents.opencode.environment import MARKERS, SWITCHES
from moor.agents.opencode.release import ID
from moor.errors.launch import CarryFailed

SEES: Final = {
    "settings": "a filtered copy of opencode.json and tui.json: no providers, no plugins, no MCP servers",
    "instructions": "AGENTS.md of the repository and of ~/.config/opencode",
    "skills": "those of ~/.config/opencode and of the repository",
    "commands": "those of ~/.config/opencode and of the repository",
    "agents": "those of ~/.config/opencode and of the repository, without their models",
    "MCP servers": "those of a trusted repository",
    "hooks and plugins": "those of a trusted repository",
    "history": "moor's own; moor session import brings yours",
}

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,80}")
_LIST_TIMEOUT_S: Final = 120
_DATABASES: Final = ("opencode.db", "opencode.db-wal")
_QUIET: Final = {**SWITCHES, "OPENCODE_PURE": "1"}


def transfers(context: TransferContext) -> tuple[Transfer, ...]:
    """Conversations of the folder, newest first. BLOCKS: starts OpenCode on copies. Raises CarryFailed."""
    own = Path(context.environ.get("XDG_DATA_HOME") or context.user_home / ".local" / "share")
    ours = context.home / "data"
    source, target = (ours, own) if context.to_agent_home else (own, ours)
    theirs = _own_program(context)
    reader, writer = (context.installed.path, theirs) if context.to_agent_home else (theirs, context.installed.path)
    read_from = _copied(source, context.scratch / "source")
    if read_from is None:
        return ()
    there = _ids(context, writer, target)
    found = _listed(context, reader, read_from)
    return tuple(
        Transfer(
            id=one["id"],
            title=str(one.get("title", "")),
            updated_at=float(one.get("updated", 0)) / 1000,
            commands=_commands(context, one["id"], reader, read_from, writer, target),
            env={**_QUIET, **_places(context.scratch)},
            there=one["id"] in there,
        )
        for one in found
    )


def _commands(
    context: TransferContext, conversation: str, reader: str, source: Path, writer: str, target: Path
) -> tuple[tuple[str, ...], ...]:
    file = str(context.scratch / f"{conversation}.json")
    return (
        (
            "sh",
            "-c",
            'XDG_DATA_HOME="$1" exec "$2" export "$3" > "$4"',
            "sh",
            str(source),
            reader,
            conversation,
            file,
        ),
        ("env", f"XDG_DATA_HOME={target}", writer, "import", file),
    )


def _own_program(context: TransferContext) -> str:
    """The user's own OpenCode; moor's where PATH has none."""
    return shutil.which(ID, path=context.environ.get("PATH")) or context.installed.path


def _ids(context: TransferContext, program: str, data: Path) -> set[str]:
    """Conversations of the folder on the side that is written to; its database is read as a copy too."""
    copy = _copied(data, context.scratch / "target")
    return {one["id"] for one in _listed(context, program, copy)} if copy else set()


def _copied(data: Path, to: Path) -> Path | None:
    """A copy of the database below XDG_DATA_HOME, as another XDG_DATA_HOME; None when there is none."""
    if not (data / ID / _DATABASES[0]).is_file():
        return None
    (to / ID).mkdir(parents=True)
    for name in _DATABASES:
        if (data / ID / name).is_file():
            shutil.copyfile(data / ID / name, to / ID / name)
    return to


def _places(scratch: Path) -> dict[str, str]:
    """Its other folders; private ones, so that nothing of the user's config is loaded, and nothing is fetched."""
    names = ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "OPENCODE_TEST_HOME", "OPENCODE_CONFIG_DIR")
    places = {name: scratch / name.lower() for name in names}
    for config in (places["XDG_CONFIG_HOME"] / ID, places["OPENCODE_CONFIG_DIR"]):
        for name, data in MARKERS.items():
            (config / name).parent.mkdir(parents=True, exist_ok=True)
            (config / name).write_bytes(data)
    return {"TMPDIR": str(scratch), **{name: str(path) for name, path in places.items()}}


def _listed(context: TransferContext, program: str, data: Path) -> list[dict[str, Any]]:
    env = {**context.environ, **_QUIET, **_places(context.scratch), "XDG_DATA_HOME": str(data)}
    argv = [program, "session", "list", "--format", "json"]
    try:
        done = subprocess.run(
            argv, cwd=context.cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8",
            errors="replace", timeout=_LIST_TIMEOUT_S, check=False,
        )  # fmt: skip
        found = json.loads(done.stdout or "[]") if done.returncode == 0 else None
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        raise CarryFailed(agent=ID, conversation="", problem=f"its list cannot be read: {error}") from error
    if not isinstance(found, list):
        raise CarryFailed(agent=ID, conversation="", problem="its list cannot be read", context=done.stderr[-400:])
    return [one for one in found if isinstance(one, dict) and _ID.fullmatch(str(one.get("id")))]
