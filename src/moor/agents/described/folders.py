"""What lies around a described agent: the repository's programs, which are left out, and the user's own texts."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from moor.agents import jsonc
from moor.agents.base import Extra
from moor.agents.repository import MAX_FILE_BYTES, Refused, Repository
from moor.domain.plan import LeftOut, PlannedFile

_WHY: Final = "it may start programs or change where calls go; moor trust lets it in"
_SUFFIX: Final = ".md"


def found(cwd: str, described: Mapping[str, str]) -> list[LeftOut]:
    """What of the description's list is there, from the root of the repository down to the folder."""
    repository = Repository(cwd)
    return [LeftOut(what, repository.shown(path), _WHY) for path, what in _there(repository, described)]


def extras(cwd: str, agent: str, described: Mapping[str, str]) -> tuple[Extra, ...]:
    """The same, file by file, with contents: for the person who is asked whether to trust it."""
    repository = Repository(cwd)
    out = []
    for top, what in _there(repository, described):
        for path in [top] if Path(top).is_file() else repository.files(top):
            where = repository.shown(path)
            does = f"{what} of {agent}"
            out.append(Extra(what=what, where=where, does=does, content=_content(repository, path)))
    return tuple(out)


def rules(cwd: str, names: Iterable[str]) -> str:
    """The texts of the repository's files of those names, from its root down to the folder."""
    repository = Repository(cwd)
    paths = [str(Path(folder, name)) for folder in repository.upward() for name in names]
    texts = [(repository.shown(path), _text(repository, path)) for path in paths]
    return "\n".join(f"# {shown}\n\n{text}" for shown, text in texts if text)


def copies(described: Mapping[str, str], user_home: Path) -> Iterator[tuple[str, str]]:
    """Path as described and text of each of the user's own files that there is. One that cannot be read is none."""
    for target, source in described.items():
        path = Path(source.replace("~", str(user_home), 1) if source.startswith("~/") else source)
        if path.is_dir():
            folder = Repository.of_folder(str(path))
            for file in folder.files(str(path), (_SUFFIX,)):
                if text := _text(folder, file):
                    yield f"{target}/{os.path.relpath(file, path)}", text
        elif text := _text(Repository.of_folder(str(path.parent)), str(path)):
            yield target, text


def private_file(path: str, text: str) -> PlannedFile:
    """Owner only; a script can be started."""
    return PlannedFile(path, text.encode(), mode=0o700 if text.startswith("#!") else 0o600)


def changed(path: str, text: str) -> str:
    """The JSON that stands there with the keys that the text names changed; the text where nothing readable does."""
    try:
        there = jsonc.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError):
        return text
    return json.dumps(_laid_over(there, json.loads(text)), ensure_ascii=False, indent=2) + "\n"


def _laid_over(there: Any, ours: Any) -> Any:
    if not isinstance(there, dict) or not isinstance(ours, dict):
        return ours
    return {**there, **{key: _laid_over(there.get(key), value) for key, value in ours.items()}}


def _there(repository: Repository, described: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for folder in repository.upward():
        for name, what in described.items():
            path = str(Path(folder, name))
            if os.path.lexists(path):
                yield path, what


def _content(repository: Repository, path: str) -> bytes:
    """The bytes; of a file that cannot be read, what would change if it changed."""
    try:
        return repository.read_bytes(path, MAX_FILE_BYTES) or b""
    except Refused:
        state = os.lstat(path)
        return f"unread {state.st_size} {state.st_mtime_ns}".encode()


def _text(repository: Repository, path: str) -> str:
    try:
        return repository.read(path) or ""
    except Refused:
        return ""
