"""What an agent's packages are, and where its versions lie: `~/.moor/agents/<agent>/<version>/`.

`current` beside the versions names the one that is started. A folder without `moor.json` is an interrupted
or foreign one and is not used, except below the folder that MOOR_TEST_AGENTS names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec

TEST_FOLDER_VARIABLE: Final = "MOOR_TEST_AGENTS"
RECORD: Final = "moor.json"
CURRENT: Final = "current"
LOCK: Final = ".lock"
MIN_AGE_DAYS: Final = 7
"""a release that nobody pinned must be this old, where the user says nothing else"""

NPM: Final = "npm"
PIP: Final = "pip"

Say = Callable[[str], None]


class Recipe(msgspec.Struct, frozen=True, kw_only=True):
    """What to fetch for one version of one agent on this machine."""

    agent: str
    version: str
    packages: tuple[str, ...]
    """npm: `name@version`, exact; pip: one requirement, `name[extra]==version`"""
    binary: str
    """path of the program below the version's folder"""
    dated_package: str
    """package whose release date counts, and whose newest version is the agent's"""
    kind: str = NPM
    """`npm`, or `pip`: wheels only, into a virtual environment that is the version's folder"""
    lock: Path | None = None
    """npm: a package-lock.json without addresses; pip: requirements with hashes. Where there is one, exactly this
    is installed; `packages` stands in it"""
    extras: tuple[str, ...] = ()
    """npm: `name@version` of packages that help, but whose absence from a mirror stops nothing"""
    integrity: dict[str, str] = {}
    """npm: package name to the sha512 pinned in our source; a lock pins its own"""
    pinned: bool = False
    """the version moor was tested with: its age is not asked"""
    node: tuple[int, ...] = ()
    """the oldest Node.js that runs it, `(20,)`; empty: it needs none"""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What the user said about an install."""

    allow_new: bool = False
    """a release of the last days, or one of unknown age, will do"""
    min_age_days: float = MIN_AGE_DAYS
    archive: Path | None = None
    """a file or folder of packages to take instead of a registry"""


class Fetcher(Protocol):
    """Gets packages of one kind. Made for one version of one agent and the user's environment (mirrors, proxies).

    Each method BLOCKS and raises AgentInstallFailed in words; NotInRegistry where the package is not to be had.
    """

    def fetch(self, recipe: Recipe, folder: Path, target: Path, say: Say) -> dict[str, str]:
        """Unpack into the empty folder, which becomes `target` afterwards; name to the integrity that was checked."""
        ...

    def published_at(self, package: str, version: str, scratch: Path) -> float | None:
        """When that version came out, in seconds since the epoch; None when the registry does not say."""
        ...

    def newest(self, package: str, scratch: Path) -> str:
        """The release that the registry calls the latest."""
        ...


def some_versions(package: str, known: Iterable[object]) -> str:
    """A line that names the last few of the versions which a registry listed."""
    return f"it has {package} as " + ", ".join(str(version) for version in list(known)[-6:])


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


def version_key(version: str) -> tuple[int, ...]:
    """Numbers of a version for comparing; letters and suffixes count as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("-")[0].split("."))


def newest(versions: Iterable[str]) -> str:
    """The highest of the versions; empty for none."""
    return max(versions, key=version_key, default="")
