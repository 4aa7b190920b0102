"""A launch of Claude Code as data: argv, environment, private files and links, what was left out."""

from __future__ import annotations

from moor.agents.base import LaunchContext
from moor.agents.claude.arguments import checked
from moor.agents.claude.config import dump, pins, state, user_settings
from moor.agents.claude.environment import Places, environment, scripts, state_files, state_links
from moor.agents.claude.extras import Extras, read_extras
from moor.agents.claude.managed import managed_folder, notes
from moor.agents.claude.memory import first_notes
from moor.agents.claude.release import version_note
from moor.agents.claude.repo import RepositoryConfig, read_repository
from moor.agents.claude.user_config import UserConfig, read_user_config
from moor.domain.plan import LaunchPlan, PlannedFile, PlannedLink

SERVER = "server"
_DRIVEN = (
    *("-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"),
    *("--include-partial-messages", "--permission-prompt-tool", "stdio"),
)


def plan(context: LaunchContext) -> LaunchPlan:
    """Reads files of the user's and the repository's, writes none. Raises AgentCommandRefused, AgentModelUnknown."""
    driven = context.mode == SERVER
    arguments = list(_DRIVEN) if driven else checked(context)
    user = read_user_config(context.user_home, context.environ, context.models)
    repository = read_repository(context.session.cwd, context.user_home, context.models, trusted=context.trusted)
    extras = read_extras(context.session.cwd) if context.trusted else Extras()
    env = environment(context, driven=driven, wrapped=bool(extras.hooks or extras.servers))
    places = Places(context)
    fixed = ["--settings", str(places.pins), "--setting-sources", "user", "--strict-mcp-config"]
    if extras.servers:
        fixed += ["--mcp-config", str(places.servers)]
    if context.effort:
        fixed += ["--effort", context.effort]  # a setting of that name does not count in this layer (2.1.197)
    note = version_note(context.installed.version)
    return LaunchPlan(
        argv=(context.installed.path, *fixed, *arguments),
        env=env,
        cwd=context.session.cwd,
        files=(
            *_settings(context, user, repository, extras),
            *_texts(places, user, repository),
            *state_files(context),
            *first_notes(context),
            *scripts(context, env),
        ),
        links=(*state_links(context), *_links(places, user, repository)),
        left_out=(*user.shelf.left_out, *repository.shelf.left_out),
        notes=(*([note] if note else []), *notes(managed_folder())),
    )


def _settings(
    context: LaunchContext, user: UserConfig, repository: RepositoryConfig, extras: Extras
) -> list[PlannedFile]:
    places = Places(context)
    driven = context.mode == SERVER
    files = [
        PlannedFile(str(places.config / "settings.json"), dump(user_settings(user, driven=driven))),
        PlannedFile(str(places.config / ".claude.json"), dump(state(context, user))),
        PlannedFile(str(places.pins), dump(pins(context, repository.rules, extras, driven=driven))),
    ]
    if extras.servers:
        files.append(PlannedFile(str(places.servers), dump({"mcpServers": extras.servers})))
    return files


def _texts(places: Places, user: UserConfig, repository: RepositoryConfig) -> list[PlannedFile]:
    """Instructions, agents, commands and skills; the repository's stand above the user's of the same name."""
    texts = {**user.shelf.files, **repository.shelf.files}
    instructions = "\n\n".join(text for text in (user.instructions, repository.instructions) if text)
    if instructions:
        texts["CLAUDE.md"] = instructions.encode() + b"\n"
    return [PlannedFile(str(places.config / name), content) for name, content in texts.items()]


def _links(places: Places, user: UserConfig, repository: RepositoryConfig) -> list[PlannedLink]:
    links = {**user.shelf.links, **repository.shelf.links}
    return [PlannedLink(str(places.config / name), target) for name, target in links.items()]
