"""A launch of Gemini CLI as data: argv, environment, private files, what was left out."""

from __future__ import annotations

from moor.agents.base import LaunchContext
from moor.agents.gemini.arguments import checked
from moor.agents.gemini.environment import START, Places, environment, folders, links, start_file
from moor.agents.gemini.release import node, version_note
from moor.agents.gemini.repo import RepositorySetUp, read_repository
from moor.agents.gemini.settings import SERVER, USER_RULES, policy, settings
from moor.agents.gemini.user import UserSetUp, read_user
from moor.domain.plan import LaunchPlan, LeftOut, PlannedFile


def plan(context: LaunchContext) -> LaunchPlan:
    """Reads files of the user's and the repository's, writes none.

    Raises AgentCommandRefused, AgentModelUnknown, AgentNeeds.
    """
    arguments = _arguments(context)
    user = read_user(context.user_home)
    repository = read_repository(context.session.cwd)
    env = environment(context)
    note = version_note(context.installed.version)
    return LaunchPlan(
        argv=(
            node(context.environ),
            f"--require={START}",
            context.installed.path,
            *arguments,
        ),
        env=env,
        cwd=context.session.cwd,
        files=tuple(_files(context, user, repository, env)),
        links=links(context),
        left_out=(*user.left_out, *_left_out(context, repository)),
        notes=(note,) if note else (),
    )


def _arguments(context: LaunchContext) -> list[str]:
    if context.mode == SERVER:
        return ["--acp", "--model", context.model.id]
    return checked(context)


def _files(
    context: LaunchContext, user: UserSetUp, repository: RepositorySetUp, env: dict[str, str]
) -> list[PlannedFile]:
    places = Places(context)
    text = settings(context, user.settings, repository.settings, repository.started)
    files = [PlannedFile(str(places.folder / "settings.json"), text), start_file(context, env), *folders(context)]
    files.append(PlannedFile(str(places.policy), policy(context, user.settings, repository.settings)))
    if user.rules:
        files.append(PlannedFile(str(places.folder / USER_RULES), user.rules.encode()))
    for name, content in {**user.files, **repository.files}.items():
        files.append(PlannedFile(str(places.folder / name), content))
    return files


def _left_out(context: LaunchContext, repository: RepositorySetUp) -> list[LeftOut]:
    let_in = {extra.what for extra in repository.extras} if context.trusted else set()
    return [item for item in repository.left_out if item.what not in let_in]
