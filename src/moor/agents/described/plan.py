"""A launch of a described agent as data: argv, environment, private files, what was left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from moor.agents.described import folders
from moor.agents.described.arguments import Arguments
from moor.agents.described.program import Program
from moor.agents.described.values import launch_values, model_values, quoting
from moor.agents.found import version_note
from moor.domain.plan import LaunchPlan, LeftOut, PlannedFile
from moor.domain.session import TERMINAL
from moor.domain.template import PROMPT, TRUSTED_KEY, names_in, render
from moor.errors.agent import AgentNeedsTrust

if TYPE_CHECKING:
    from moor.agents.base import LaunchContext
    from moor.domain.settings import AgentSettings

PROMPT_PLACE = f"{{{PROMPT}}}"
"""stands in the arguments of a headless run until the prompt is known"""


def plan(name: str, group: AgentSettings, program: Program, context: LaunchContext) -> LaunchPlan:
    """Reads files of the user's and the repository's, writes none. Raises AgentCommandRefused, AgentModelUnknown."""
    left_out = [] if context.trusted else folders.found(context.session.cwd, group.repository)
    _refuse_untrusted(name, group, context, left_out)
    values = {
        **launch_values(group, context),
        **program.values(context.installed),
        PROMPT: PROMPT_PLACE,
        "rules": folders.rules(context.session.cwd, group.rules) if left_out else "",
        TRUSTED_KEY: context.key.reveal() if context.trusted else "",
        "trust": "trusted" if context.trusted else "untrusted",
        "untrusted": "false" if context.trusted else "true",
        "trusted_folder": str(context.session_home) if left_out else context.session.cwd,
        "untrusted_folder": context.session.cwd if left_out else str(context.session_home),
    }
    note = version_note(program.window, context.installed.version) if group.install else ""
    return LaunchPlan(
        argv=(*program.command(context.installed, values), *_arguments(name, group, context, values)),
        env=_environment(group, context, values),
        cwd=context.session.cwd,
        files=tuple(_files(group, context, values)),
        left_out=tuple(left_out),
        notes=(note,) if note else (),
    )


def _refuse_untrusted(name: str, group: AgentSettings, context: LaunchContext, found: list[LeftOut]) -> None:
    """Raises AgentNeedsTrust: what cannot be left out is not started."""
    terminal = context.mode == TERMINAL
    if not terminal:
        found = [item for item in found if item.where.endswith(group.headless_needs_trust)]
    if found and (group.terminal_needs_trust or not terminal):
        raise AgentNeedsTrust(
            agent=name, found=tuple(f"{item.what} ({item.where})" for item in found), headless=not terminal
        )


def _arguments(name: str, group: AgentSettings, context: LaunchContext, values: dict[str, str]) -> list[str]:
    parts = [*(group.trusted if context.trusted else group.untrusted)]
    if context.mode != TERMINAL:
        return _rendered([*(group.acp or group.headless), *parts, *_effort(group, context)], values)
    own = Arguments(
        name, group, {m.id: model_values(group, m, context.gateway_url)["model_name"] for m in context.models}
    ).checked(context.args)
    return [*_rendered([*group.terminal, *parts, *_effort(group, context)], values), *own]


def _effort(group: AgentSettings, context: LaunchContext) -> tuple[str, ...]:
    return group.effort_args if context.effort else ()


def _rendered(parts: Iterable[str], values: dict[str, str]) -> list[str]:
    return [render(part, values) for part in parts]


def _environment(group: AgentSettings, context: LaunchContext, values: dict[str, str]) -> dict[str, str]:
    """The description's variables win; one whose text comes out empty is not set."""
    meant = context.settings.env
    env = {name: value for name, value in context.environ.items() if name in meant or not _matches(name, group.unset)}
    made = {name: render(text, values) for name, text in group.env.items()}
    return {
        **{name: value for name, value in env.items() if name not in made},
        **{n: v for n, v in made.items() if v},
    }


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(name.startswith(part[:-1]) if part.endswith("*") else name == part for part in patterns)


def _files(group: AgentSettings, context: LaunchContext, values: dict[str, str]) -> list[PlannedFile]:
    texts = list(folders.copies(group.copies, context.user_home))
    texts += [(path, render(text, values, quoting(path))) for path, text in group.files.items()]
    return [_file(path, text, context, values) for path, text in texts if text.strip()]


def _file(path: str, text: str, context: LaunchContext, values: dict[str, str]) -> PlannedFile:
    """Below the session's folder, or in the kept home: there the agent writes too, and what it wrote stays."""
    if not names_in(path):
        return folders.private_file(str(context.session_home / path), text)
    place = render(path, values)
    return folders.private_file(place, folders.changed(place, text) if place.endswith(".json") else text)
