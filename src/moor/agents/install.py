"""Installing a version of an agent: unpacked aside, checked, and put in place in one step."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from moor.agents.node import check_node
from moor.agents.recipe import CURRENT, LOCK, PIP, RECORD, Fetcher, Recipe, Say, Terms
from moor.agents.tools import TOOLS, Stopped
from moor.agents.versions import sweep_leftovers
from moor.errors.agent import AgentInstallFailed, AgentReleaseTooYoung

if TYPE_CHECKING:
    from moor.agents.base import Agent, Installed
    from moor.store.home import Home

_LONGEST_S: Final = 1_800


def install_agent(
    agent: Agent,
    home: Home,
    environ: Mapping[str, str],
    version: str | None = None,
    *,
    terms: Terms | None = None,
    say: Say | None = None,
) -> Installed:
    """The agent's pinned version, or the one named, installed now or found complete; BLOCKS. Raises as install."""
    from moor.agents.base import Installed

    recipe = agent.recipe(version)
    folder = install(recipe, home, environ, terms=terms, say=say)
    return Installed(str(folder / recipe.binary), recipe.version, "moor")


def install(
    recipe: Recipe, home: Home, environ: Mapping[str, str], *, terms: Terms | None = None, say: Say | None = None
) -> Path:
    """The version's folder, installed now or found complete; BLOCKS.

    Two installs at once do the work once. Raises AgentInstallFailed or AgentReleaseTooYoung, and leaves nothing then.
    """
    say = say or _silent
    folder = home.agents_dir / recipe.agent
    target = folder / recipe.version
    home.folder(home.agents_dir)
    home.folder(folder)
    with _alone(folder, recipe, say):
        if not (target / RECORD).exists():
            say(f"installing {recipe.agent} {recipe.version} ({recipe.kind}, scripts off) …")
            _install_aside(recipe, environ, target, terms or Terms(), say)
            say(f"installed {recipe.agent} {recipe.version} in {target}")
        set_current(folder, recipe.version)
    return target


def fetcher(recipe: Recipe, environ: Mapping[str, str], archive: Path | None = None) -> Fetcher:
    """What gets the recipe's packages. Raises AgentInstallFailed: the tool it needs is missing."""
    if recipe.kind == PIP:
        from moor.agents.pip import Pip

        return Pip(recipe.agent, recipe.version, offline(environ, archive))
    if archive is not None:
        from moor.agents.archive import Archive

        return Archive(recipe.agent, recipe.version, archive)
    from moor.agents.npm import Npm

    return Npm(recipe.agent, recipe.version, environ)


def offline(environ: Mapping[str, str], archive: Path | None) -> Mapping[str, str]:
    """The environment in which pip takes wheels from that folder and from nowhere else."""
    if archive is None:
        return environ
    folder = archive if archive.is_dir() else archive.parent
    return {**environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": folder.absolute().as_uri()}


@contextmanager
def _alone(folder: Path, recipe: Recipe, say: Say) -> Iterator[None]:
    """The agent's install lock; says so when another install holds it, and waits for as long as that may take."""
    from moor.errors.store import LockTimeoutError
    from moor.store.files import locked

    with ExitStack() as stack:
        waits_until = 0.0
        while True:
            try:
                stack.enter_context(locked(folder / LOCK, timeout_s=0.2))
                break
            except LockTimeoutError:
                if not waits_until:
                    say(f"another install of {recipe.agent} is under way: waiting for it …")
                    waits_until = time.monotonic() + _LONGEST_S
                if TOOLS.stopping:
                    raise _stopped(recipe) from None
                if time.monotonic() > waits_until:
                    raise
        yield


def _install_aside(recipe: Recipe, environ: Mapping[str, str], target: Path, terms: Terms, say: Say) -> None:
    sweep_leftovers(target.parent)
    try:
        staging = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
        try:
            got = _fetch(recipe, environ, staging, target, terms, say)
            _finish(recipe, staging, target, got)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except Stopped:
        raise _stopped(recipe) from None
    except OSError as error:
        raise AgentInstallFailed(
            agent=recipe.agent,
            version=recipe.version,
            problem=error.strerror or "a folder cannot be written",
            context=str(error.filename or target.parent),
            hint="free some space, or check who owns the folder",
        ) from error


def _fetch(
    recipe: Recipe, environ: Mapping[str, str], staging: Path, target: Path, terms: Terms, say: Say
) -> dict[str, str]:
    check_node(recipe, environ)
    tool = fetcher(recipe, environ, terms.archive)
    if not recipe.pinned and not terms.allow_new:
        _check_age(recipe, tool, staging, terms)
    return tool.fetch(recipe, staging, target, say)


def _finish(recipe: Recipe, staging: Path, target: Path, got: dict[str, str]) -> None:
    """Check what arrived, record it, and give it its name: in one step, the last one."""
    _check_integrity(recipe, got)
    binary = staging / recipe.binary
    if not binary.is_file():
        raise AgentInstallFailed(
            agent=recipe.agent, version=recipe.version, problem="the package holds no program", context=recipe.binary
        )
    if not binary.is_symlink():  # an environment's python is a link to one that is not ours
        binary.chmod(0o755)
    record = {"agent": recipe.agent, "version": recipe.version, "packages": got, "installed_at": int(time.time())}
    (staging / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if target.exists():
        shutil.rmtree(target)
    staging.replace(target)


def _check_age(recipe: Recipe, tool: Fetcher, scratch: Path, terms: Terms) -> None:
    published = tool.published_at(recipe.dated_package, recipe.version, scratch)
    if published is None:
        raise AgentInstallFailed(
            agent=recipe.agent,
            version=recipe.version,
            problem="nothing says when it was published",
            hint=f"take it all the same: moor agents install {recipe.agent} --version {recipe.version} --allow-new",
        )
    age = max(0.0, (time.time() - published) / 86_400)  # a clock that stands before the release counts as 0
    if age < terms.min_age_days:
        raise AgentReleaseTooYoung(
            agent=recipe.agent, version=recipe.version, age_days=age, wanted_days=terms.min_age_days
        )


def _check_integrity(recipe: Recipe, got: Mapping[str, str]) -> None:
    for package, wanted in recipe.integrity.items():
        if package in got and got[package] != wanted:
            raise AgentInstallFailed(
                agent=recipe.agent,
                version=recipe.version,
                problem=f"{package} is not the one this moor was tested with",
                context=f"expected {wanted}\nreceived {got[package]}",
                hint="do not use it; ask the keeper of your registry mirror",
            )


def set_current(folder: Path, version: str) -> None:
    """Make that version the one that is started; `folder`: the agent's."""
    from moor.store.files import write_private

    write_private(folder / CURRENT, version.encode() + b"\n")


def _stopped(recipe: Recipe) -> AgentInstallFailed:
    return AgentInstallFailed(agent=recipe.agent, version=recipe.version, problem="it was stopped")


def _silent(_: str) -> None:
    pass
