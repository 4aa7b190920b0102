"""What must not be in the repository, and what its locks must hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.arch.tree import ROOT, tracked

REQUIREMENT = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*==\S+", re.MULTILINE)
ADDRESSES = re.compile(
    r"registry\.[n]pmjs|files\.[p]ythonhosted|[p]ypi\.org/simple|--(?:extra-)?[i]ndex-url"
    r"|\"[r]esolved\"\s*:\s*\"http"
)
LOCKS = sorted([*(ROOT / "requirements").glob("*.lock"), *(ROOT / "src").rglob("*.lock")])


def texts() -> list[tuple[Path, str]]:
    """Every text file that is, or will be, under version control."""
    found = []
    for path in tracked():
        try:
            found.append((path, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def machine_paths() -> list[str]:
    """Folders of this machine: nobody else has them."""
    home = str(Path.home())
    parents = [str(ROOT.parent), home]
    return [f"{parent}/" for parent in parents if parent not in ("/", "/tmp", "/home", "/Users")]


def test_no_path_of_one_machine_is_written_down() -> None:
    # a folder of that name below another one is not meant
    marks = [re.compile(rf"(?<![\w.-]){re.escape(mark)}") for mark in machine_paths()]
    found = [str(path.relative_to(ROOT)) for path, text in texts() if any(mark.search(text) for mark in marks)]
    assert not found, f"machine paths in: {found}"


def test_no_package_index_is_named() -> None:
    found = [str(path.relative_to(ROOT)) for path, text in texts() if ADDRESSES.search(text)]
    assert not found, f"addresses of package indexes in: {found}"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.name))
def test_every_locked_package_carries_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    packages = [entry for entry in entries if REQUIREMENT.match(entry)]
    assert packages
    assert not [entry.splitlines()[0] for entry in packages if "--hash=sha256:" not in entry]
    assert "://" not in text


def test_the_runtime_lock_is_part_of_the_development_lock() -> None:
    runtime, dev = (
        set(REQUIREMENT.findall((ROOT / "requirements" / name).read_text(encoding="utf-8")))
        for name in ("runtime.lock", "dev.lock")
    )
    assert runtime
    assert runtime <= dev
