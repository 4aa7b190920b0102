"""Agents on disk: `~/.moor/agents/<agent>/<version>/`, unpacked aside and put in place in one step.

`current` beside the versions names the one that is started. A folder without `moor.json` is an interrupted
or foreign one and is not used, except below the folder that MOOR_TEST_AGENTS names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from moor.errors.agent import AgentInstallFailed, AgentReleaseTooYoung, NotInRegistry

if TYPE_CHECKING:
    from moor.agents.npm import Npm
    from moor.store.home import Home

TEST_FOLDER_VARIABLE: Final = "MOOR_TEST_AGENTS"
RECORD: Final = "moor.json"
CURRENT: Final = "current"
MIN_AGE_DAYS: Final = 7
"""a release that nobody pinned must be this old"""

Say = Callable[[str], None]


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What to fetch for one version of one agent on this machine."""

    agent: str
    version: str
    packages: tuple[str, ...]
    """`name@version`, exact"""
    binary: str
    """path of the program below the version's folder"""
    dated_package: str
    """package whose release date counts"""
    extras: tuple[str, ...] = ()
    """`name@version` of packages that help, but whose absence from a mirror stops nothing"""
    integrity: dict[str, str] = {}
    """package name to the sha512 pinned in our source"""
    pinned: bool = False
    """the version moor was tested with: its age is not asked"""


def test_folder(environ: Mapping[str, str], agent: str) -> Path | None:
    """Folder with unpacked versions that tests name, or None."""
    named = environ.get(TEST_FOLDER_VARIABLE, "")
    return Path(named) / agent if named else None


def installed_versions(folder: Path) -> dict[str, Path]:
    """Version to its folder, for each complete version; empty when there is none."""
    try:
        return {entry.name: entry for entry in sorted(folder.iterdir()) if (entry / RECORD).is_file()}
    except OSError:
        return {}


def current_version(folder: Path) -> str:
    """The version that was installed last; empty when none was."""
    try:
        return (folder / CURRENT).read_text("utf-8").strip()
    except OSError:
        return ""


def install(
    recipe: Recipe, home: Home, environ: Mapping[str, str], *, allow_new: bool = False, say: Say | None = None
) -> Path:
    """The version's folder, installed now or found complete; BLOCKS.

    Two installs at once do the work once. Raises AgentInstallFailed or AgentReleaseTooYoung, and leaves nothing then.
    """
    from moor.agents.npm import Npm
    from moor.store.files import locked

    say = say or _silent
    folder = home.agents_dir / recipe.agent
    target = folder / recipe.version
    home.folder(home.agents_dir)
    home.folder(folder)
    with locked(folder / ".lock", timeout_s=1_000):
        if not (target / RECORD).exists():
            npm = Npm(recipe.agent, recipe.version, environ)
            say(f"installing {recipe.agent} {recipe.version} (npm, scripts off) …")
            _install_aside(recipe, npm, folder, target, allow_new, say)
            say(f"installed {recipe.agent} {recipe.version} in {target}")
        _set_current(folder, recipe.version)
    return target


def remove(home: Home, agent: str, version: str | None = None) -> list[str]:
    """Remove one or all versions; the versions removed."""
    from moor.store.files import locked, remove_tree_private

    folder = home.agents_dir / agent
    if not folder.is_dir():
        return []
    with locked(folder / ".lock", timeout_s=60):
        wanted = [entry for entry in folder.iterdir() if (entry / RECORD).exists()]
        gone = sorted(entry.name for entry in wanted if version in (None, entry.name))
        for name in gone:
            remove_tree_private(folder / name)
        if current_version(folder) in gone:
            (folder / CURRENT).unlink(missing_ok=True)
    return gone


def _install_aside(recipe: Recipe, npm: Npm, folder: Path, target: Path, allow_new: bool, say: Say) -> None:
    import shutil
    import tempfile
    import time

    _sweep_leftovers(folder)
    staging = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    try:
        if not recipe.pinned and not allow_new:
            _check_age(recipe, npm, staging)
        got = _fetch(recipe, npm, staging, say)
        _check_integrity(recipe, got)
        binary = staging / recipe.binary
        if not binary.is_file():
            raise AgentInstallFailed(
                agent=recipe.agent, version=recipe.version, problem="the package holds no program",
                context=recipe.binary,
            )  # fmt: skip
        binary.chmod(0o755)
        shutil.rmtree(staging / ".npm-cache", ignore_errors=True)
        record = {"agent": recipe.agent, "version": recipe.version, "packages": got, "installed_at": int(time.time())}
        (staging / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        if target.exists():
            shutil.rmtree(target)
        staging.replace(target)
    except OSError as error:
        raise AgentInstallFailed(
            agent=recipe.agent,
            version=recipe.version,
            problem=error.strerror or "a folder cannot be written",
            context=str(error.filename or folder),
            hint="free some space, or check who owns the folder",
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _fetch(recipe: Recipe, npm: Npm, staging: Path, say: Say) -> dict[str, str]:
    try:
        return npm.install([*recipe.packages, *recipe.extras], staging)
    except NotInRegistry:
        if not recipe.extras:
            raise
        say(f"your npm registry lacks {', '.join(recipe.extras)} or the agent; trying without the extras")
        return npm.install(list(recipe.packages), staging)


def _check_age(recipe: Recipe, npm: Npm, scratch: Path) -> None:
    from moor.agents.npm import age_days

    published = npm.published_at(recipe.dated_package, recipe.version, scratch)
    if published is None:
        raise AgentInstallFailed(
            agent=recipe.agent,
            version=recipe.version,
            problem="the registry does not say when it was published",
            hint=f"take it all the same: moor agents install {recipe.agent} --version {recipe.version} --allow-new",
        )
    if (age := age_days(published)) < MIN_AGE_DAYS:
        raise AgentReleaseTooYoung(agent=recipe.agent, version=recipe.version, age_days=age, wanted_days=MIN_AGE_DAYS)


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


def _sweep_leftovers(folder: Path) -> None:
    """Half-done folders of an install that was killed; we hold the lock, so nobody uses them."""
    import shutil

    for entry in folder.glob(".new-*"):
        shutil.rmtree(entry, ignore_errors=True)


def _set_current(folder: Path, version: str) -> None:
    from moor.store.files import write_private

    write_private(folder / CURRENT, version.encode() + b"\n")


def _silent(_: str) -> None:
    pass


def version_key(version: str) -> tuple[int, ...]:
    """Numbers of a version for comparing; letters and suffixes count as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("-")[0].split("."))


def newest(versions: Iterable[str]) -> str:
    """The highest of the versions; empty for none."""
    return max(versions, key=version_key, default="")
