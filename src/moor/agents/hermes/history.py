"""Hermes' conversations, carried by its own export and import, one by one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents.base import Transfer, TransferContext
from moor.agents.hermes.release import ID, interpreter
from moor.errors.launch import CarryFailed

_CARRY: Final = Path(__file__).with_name("carry.py")
_DATABASE: Final = "state.db"
_LIST_TIMEOUT_S: Final = 120


def transfers(context: TransferContext) -> tuple[Transfer, ...]:
    """Conversations of the folder, newest first. BLOCKS: starts Hermes' interpreter. Raises CarryFailed."""
    own = Path(context.environ.get("HERMES_HOME") or context.user_home / ".hermes")
    source, target = (context.home, own) if context.to_agent_home else (own, context.home)
    found = _listed(context, source, "source")
    there = {one["id"] for one in _listed(context, target, "target")} if found else set()
    python = interpreter(context.installed.path)
    return tuple(
        Transfer(
            id=one["id"],
            title=" ".join(one["title"].split())[:80],
            updated_at=one["updated"],
            commands=(
                ("mkdir", "-p", "-m", "700", str(target)),
                (python, "-I", str(_CARRY), "copy", one["id"], _copy(context, "source"), str(target / _DATABASE)),
            ),
            env=_places(context),
            there=one["id"] in there,
        )
        for one in sorted(found, key=lambda one: -float(one["updated"]))
    )


def _listed(context: TransferContext, home: Path, name: str) -> list[dict[str, Any]]:
    """Conversations of the folder in a copy of that home's database; [] where there is none."""
    if not (home / _DATABASE).is_file():
        return []
    copy = Path(_copy(context, name))
    copy.parent.mkdir(parents=True)
    for file in (_DATABASE, f"{_DATABASE}-wal"):
        if (home / file).is_file():
            shutil.copyfile(home / file, copy.with_name(file))
    argv = [interpreter(context.installed.path), "-I", str(_CARRY), "list", context.cwd, str(copy)]
    env = {**context.environ, **_places(context)}
    try:
        done = subprocess.run(argv, env=env, capture_output=True, timeout=_LIST_TIMEOUT_S, check=True)
        return msgspec.json.decode(done.stdout, type=list[dict[str, Any]])
    except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as error:
        said = getattr(error, "stderr", b"") or b""
        raise CarryFailed(
            agent=ID,
            conversation="",
            problem=f"{home / _DATABASE} cannot be read",
            context=said.decode(errors="replace")[-300:],
        ) from error


def _copy(context: TransferContext, name: str) -> str:
    return str(context.scratch / name / _DATABASE)


def _places(context: TransferContext) -> dict[str, str]:
    """A home of its own for that program, so that it writes its logs there."""
    return {"HERMES_HOME": str(context.scratch / "home")}
