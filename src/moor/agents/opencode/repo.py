"""What a repository may say to OpenCode: rules, agents, commands, narrower permissions; read here, passed on as data.

OpenCode itself reads nothing of it (OPENCODE_DISABLE_PROJECT_CONFIG): a plugin, an MCP command or a header in a
provider would act before anybody is asked (facts/opencode 23).
"""

from __future__ import annotations

import os
from glob import glob
from pathlib import Path
from typing import Any, Final

from moor.agents.opencode.folder import Reader
from moor.agents.opencode.permission import allows_of
from moor.agents.opencode.sift import NETWORK, WIDENS, Taken
from moor.agents.repository import Refused, Repository

_RULE_NAMES: Final = ("AGENTS.md", "CLAUDE.md")
"""the first name that occurs anywhere between the folder and the root counts (facts/opencode 11)"""
PROJECT_NAMES: Final = ("opencode.json", "opencode.jsonc")
FOLDER: Final = ".opencode"
_MAX_INSTRUCTIONS: Final = 50
_MAX_RULE_BYTES: Final = 128 * 1024


def read_repository(cwd: str) -> Taken:
    """What is passed on of the repository that the folder stands in. Never raises for what a file holds."""
    taken = Taken()
    repository = Repository(cwd)
    reader = Reader(repository, taken, is_user=False)
    _rules(reader)
    for folder in repository.upward():
        _config(reader, folder, PROJECT_NAMES)
    for folder in repository.upward():
        hidden = str(Path(folder, FOLDER))
        if os.path.isdir(hidden):  # noqa: PTH112
            _config(reader, hidden, PROJECT_NAMES)
            reader.markdown(hidden)
            reader.code(hidden)
    for tool in allows_of(taken.rules):
        taken.leave(f"permission.{tool} allow", "the repository", WIDENS)
    return taken


def _config(reader: Reader, folder: str, names: tuple[str, ...]) -> None:
    for path, config in reader.configs(folder, names):
        reader.sieve(path).config(config, frozenset({"instructions"}))
        _instructions(reader, config.get("instructions"), path)


def _rules(reader: Reader) -> None:
    folders = reader.repository.upward()
    for name in _RULE_NAMES:
        found = [path for folder in folders if os.path.lexists(path := os.path.join(folder, name))]  # noqa: PTH118
        if found:
            for path in found:
                _pass_on(reader, path)
            return


def _instructions(reader: Reader, value: Any, path: str) -> None:
    """Paths and globs of the file, looked up here; OpenCode is given plain files inside the repository."""
    where = reader.shown(path)
    for entry in value if isinstance(value, list) else []:
        if not isinstance(entry, str) or not entry:
            continue
        if "://" in entry:
            reader.taken.leave(f"instructions {entry}", where, NETWORK)
            continue
        pattern = os.path.join(os.path.dirname(path), entry)  # noqa: PTH118, PTH120
        if not reader.repository.inside(pattern.partition("*")[0]):
            reader.taken.leave(f"instructions {entry}", where, "it lies outside of the repository")
            continue
        for found in sorted(glob(pattern, recursive=True))[:_MAX_INSTRUCTIONS]:  # noqa: PTH207
            _pass_on(reader, found)


def _pass_on(reader: Reader, path: str) -> None:
    try:
        text = reader.repository.read(path, _MAX_RULE_BYTES)
    except Refused as error:
        reader.taken.leave("the whole file", reader.shown(path), str(error))
        return
    real = os.path.realpath(path)
    if text is not None and real not in reader.taken.instructions:
        reader.taken.instructions.append(real)
