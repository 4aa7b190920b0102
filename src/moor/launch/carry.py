"""Conversations carried between an agent's own home and moor's private one, when the user asks for it.

Nothing is overwritten: what the other side has is left as it is there. Files appear whole, under their last name.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.agents.base import Agent, Installed, Transfer, TransferContext
from moor.errors.launch import AgentBusy, CarryFailed
from moor.launch.environment import STRIPPED
from moor.run import proc
from moor.run.sweep import VARIABLE

if TYPE_CHECKING:
    from moor.store.home import Home

TIMEOUT_S: Final = 300
_PROGRAM_WORDS: Final = 4
_INTERPRETERS: Final = ("node", "python", "bun")


def conversations(
    agent: Agent,
    installed: Installed,
    home: Home,
    environ: Mapping[str, str],
    cwd: str,
    scratch: Path,
    *,
    to_agent_home: bool,
) -> tuple[Transfer, ...]:
    """What could be carried in that direction, newest first, each with whether it is there. BLOCKS.

    Raises CarryFailed where the agent's own program cannot read its home.
    """
    context = TransferContext(
        installed=installed,
        home=home.root / "homes" / agent.id,
        user_home=Path(environ.get("HOME") or Path.home()),
        environ=_clean(environ),
        cwd=cwd,
        scratch=scratch,
        to_agent_home=to_agent_home,
    )
    return agent.transfers(context)


def is_there(transfer: Transfer) -> bool:
    """Whether the other side has the conversation, or another one in its place.

    A file that several conversations share may lie there already: the same content is no hindrance.
    """
    if transfer.there or not transfer.copies:
        return transfer.there
    missing = [target for _, target in transfer.copies if not os.path.lexists(target)]
    return not missing or any(_differ(source, target) for source, target in transfer.copies if target not in missing)


def carry(transfer: Transfer, agent: str, environ: Mapping[str, str], cwd: str) -> None:
    """Carry one that is not there. BLOCKS. Raises CarryFailed; files that were copied before are removed then."""
    made: list[Path] = []
    try:
        for source, target in transfer.copies:
            if not os.path.lexists(target) or _differ(source, target):
                _copy(source, target)
                made.append(target)
        for command in transfer.commands:
            _run(command, agent, transfer, environ, cwd)
    except (OSError, CarryFailed) as error:
        for path in made:
            with suppress(OSError):
                path.unlink()
        if isinstance(error, CarryFailed):
            raise
        problem = f"{error.strerror or error}: {error.filename}" if error.filename else str(error)
        raise CarryFailed(agent=agent, conversation=transfer.id, problem=problem) from error


def refuse_while_it_runs(agent: Agent, environ: Mapping[str, str]) -> None:
    """Raises AgentBusy while the agent runs on this HOME, started by moor or not: it may write to what is carried."""
    home = f"HOME={environ.get('HOME', '')}".encode()
    mark = VARIABLE.encode() + b"="
    for pid in proc.all_pids():
        if not _runs(proc.command_of(pid)[1:], agent.id):
            continue
        block = proc.environ_of(pid).split(b"\0")
        if home in block:
            by_moor = any(item.startswith(mark) for item in block)
            raise AgentBusy(agent=agent.display_name, pid=pid, by_moor=by_moor)


def _runs(argv: Sequence[bytes], name: str) -> bool:
    """Whether a command line starts that program, by itself or by an interpreter."""
    names = [word.rpartition(b"/")[2].decode(errors="replace").removesuffix(".js") for word in argv[:_PROGRAM_WORDS]]
    return names[:1] == [name] or (bool(names) and names[0].startswith(_INTERPRETERS) and name in names)


def _differ(source: Path, target: Path) -> bool:
    try:
        return not filecmp.cmp(source, target, shallow=False)
    except OSError:
        return True


def _copy(source: Path, target: Path) -> None:
    """A file that appears whole, 0600; one that is there stays and is an error."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with source.open("rb") as old, aside.open("xb") as new:
            aside.chmod(0o600)
            shutil.copyfileobj(old, new)
        times = source.stat()
        os.utime(aside, ns=(times.st_atime_ns, times.st_mtime_ns))  # agents sort conversations by it
        os.link(aside, target)
    finally:
        with suppress(OSError):
            aside.unlink()


def _run(command: tuple[str, ...], agent: str, transfer: Transfer, environ: Mapping[str, str], cwd: str) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**_clean(environ), **transfer.env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CarryFailed(agent=agent, conversation=transfer.id, problem="it took too long") from None
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-4:])
        raise CarryFailed(agent=agent, conversation=transfer.id, problem="its own program refuses", context=said)


def _clean(environ: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if not name.startswith(STRIPPED)}
