"""A launch of OpenCode as data: argv, environment, private files, what was left out."""

from __future__ import annotations

from typing import Any

from moor.agents.base import LaunchContext
from moor.agents.opencode.arguments import checked
from moor.agents.opencode.config import content_text, merged, whole_text
from moor.agents.opencode.environment import Places, environment, marker_files, shell_script
from moor.agents.opencode.release import version_note
from moor.domain.plan import LaunchPlan, PlannedFile

SERVER = "server"


def plan(context: LaunchContext) -> LaunchPlan:
    """Reads files of the user's and the repository's, writes none."""
    taken: dict[str, Any] = {}
    config = merged(taken, context)
    env = environment(context, content_text(config), pure=True)
    files = [
        PlannedFile(str(Places(context).config / "opencode.json"), whole_text(config)),
        shell_script(context, env),
        *marker_files(context),
    ]
    note = version_note(context.installed.version)
    return LaunchPlan(
        argv=(context.installed.path, *_arguments(context)),
        env=env,
        cwd=context.session.cwd,
        files=tuple(files),
        notes=(note,) if note else (),
    )


def _arguments(context: LaunchContext) -> list[str]:
    if context.mode == SERVER:
        return ["serve", "--hostname", "127.0.0.1"]
    return checked(context.args, context.models, context.session.cwd)
