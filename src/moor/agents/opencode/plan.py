"""A launch of OpenCode as data: argv, environment, private files, what was left out."""

from __future__ import annotations

from typing import Any

from moor.agents.base import LaunchContext
from moor.agents.opencode.arguments import checked
from moor.agents.opencode.compose import compose
from moor.agents.opencode.config import content_text, dump, merged, whole_text
from moor.agents.opencode.environment import (
    Places,
    environment,
    marker_files,
    shell_script,
    wrapper_path,
    wrapper_script,
)
from moor.agents.opencode.extras import Extras, passed_on, read_extras
from moor.agents.opencode.release import version_note
from moor.agents.opencode.repo import read_repository
from moor.agents.opencode.user_config import UserConfig, read_user_config
from moor.domain.plan import LaunchPlan, LeftOut, Once, PlannedFile

SERVER = "server"


def plan(context: LaunchContext) -> LaunchPlan:
    """Reads files of the user's and the repository's, writes none. Raises AgentCommandRefused, AgentModelUnknown."""
    arguments = _arguments(context)
    user = read_user_config(context.user_home, context.environ)
    repository = read_repository(context.session.cwd)
    extras = read_extras(context.session.cwd) if context.trusted else Extras((), {})
    taken = compose(user.taken, repository, server=context.mode == SERVER)
    taken.update(passed_on(extras, context.environ, str(wrapper_path(context))))
    config = merged(taken, context)
    env = environment(context, content_text(config), pure="plugin" not in extras.config)
    note = version_note(context.installed.version)
    return LaunchPlan(
        argv=(context.installed.path, *arguments),
        env=env,
        cwd=context.session.cwd,
        files=tuple(_files(context, user, config, env)),
        left_out=tuple(_left_out(user, repository.left_out, extras)),
        notes=(note,) if note else (),
        once=_database(context),
    )


def _database(context: LaunchContext) -> Once:
    """Two first starts at once break each other: both create the tables (1.18.33: "database is locked", exit 1)."""
    marker = context.home / f"database-{context.installed.version}"
    return Once((context.installed.path, "db", "select 1"), str(marker), "its database is set up")


def _files(
    context: LaunchContext, user: UserConfig, config: dict[str, Any], env: dict[str, str]
) -> list[PlannedFile]:
    places = Places(context)
    files = [PlannedFile(str(places.config / "opencode.json"), whole_text(config))]
    if user.tui:
        files.append(PlannedFile(str(places.config / "tui.json"), dump(user.tui).encode()))
    for name, text in user.themes.items():
        files.append(PlannedFile(str(places.config / "themes" / name), text.encode()))
    return [*files, shell_script(context, env), wrapper_script(context, env), *marker_files(context)]


def _left_out(user: UserConfig, repository: list[LeftOut], extras: Extras) -> list[LeftOut]:
    let_in = {(extra.what, extra.where) for extra in extras.items}
    let_in |= {("plugin", extra.where) for extra in extras.items if extra.what.startswith("plugin ")}
    folders = {extra.where.rpartition("/")[0] for extra in extras.items if extra.what.startswith("plugin ")}
    kept = [
        item
        for item in repository
        if (item.what, item.where) not in let_in and not (item.what.startswith("plugin ") and item.where in folders)
    ]
    return [*user.taken.left_out, *kept]


def _arguments(context: LaunchContext) -> list[str]:
    if context.mode == SERVER:
        return ["serve", "--hostname", "127.0.0.1"]
    return checked(context.args, context.models, context.session.cwd)
