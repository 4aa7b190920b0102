"""What Claude Code remembers of a project: notes, kept in moor's home, begun with a copy of the user's."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from moor.agents.base import LaunchContext
from moor.agents.claude.history import PROJECTS, slug
from moor.agents.claude.user_config import config_folder
from moor.agents.repository import Refused, Repository
from moor.domain.plan import PlannedFile

_FOLDER: Final = "memory"


def memory_folder(context: LaunchContext) -> Path:
    """Where the notes of this project are kept, by its real path.

    Behind a link Claude Code would ask at each write, and the path in its prompt would change with every session.
    """
    return context.home / PROJECTS / slug(Repository(context.session.cwd).root) / _FOLDER


def first_notes(context: LaunchContext) -> list[PlannedFile]:
    """A copy of the user's own notes of this project, where none are kept yet."""
    target = memory_folder(context)
    own = config_folder(context.user_home, context.environ) / PROJECTS / target.parent.name / _FOLDER
    if not own.is_dir() or (target.is_dir() and any(target.iterdir())):
        return []
    notes = Repository.of_folder(str(own))
    found = []
    for path in notes.files(str(own), (".md",)):
        try:
            text = notes.read(path)
        except Refused:
            continue
        if text is not None:
            found.append(PlannedFile(str(target / Path(path).relative_to(own)), text.encode()))
    return found
