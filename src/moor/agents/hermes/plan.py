"""A launch of Hermes as data: argv, environment, private files, what was left out.

HERMES_HOME is the session's own, because its config.yaml holds the gateway's address, and two sessions may run at
once; links in it lead to what is kept: conversations, memories, skills. HOME and XDG folders stay the user's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.agents.base import LaunchContext
from moor.agents.hermes import plugin
from moor.agents.hermes.arguments import Checked, checked
from moor.agents.hermes.config import EFFORTS, KEY_VARIABLE, effort_models, ours
from moor.agents.hermes.release import ID, interpreter, version_note
from moor.agents.hermes.repo import Plugins, read_plugins, rules_left_out
from moor.agents.hermes.user_config import UserConfig, read_user_config
from moor.agents.repository import Repository
from moor.domain.plan import LaunchPlan, LeftOut, PlannedFile, PlannedLink

SERVER: Final = "server"
_PLUGIN: Final = "moor"
_SHIM: Final = Path(__file__).with_name("shim.py")
_FOLDERS: Final = ("memories", "skills", "sessions", "checkpoints")
_FILES: Final = ("state.db", ".hermes_history")
_STRIPPED: Final = ("HERMES_", "_HERMES_", "TERMINAL_", "AUXILIARY_", "OPENROUTER_", "NOUS_", "DELEGATION_")
"""prefixes of variables that reroute Hermes or name other providers"""
_SWITCHES: Final = {
    "HERMES_DISABLE_LAZY_INSTALLS": "1",
    "HERMES_SKIP_NODE_BOOTSTRAP": "1",
    "HERMES_MANAGED_DIR": "/nonexistent",
}
"""HERMES_MANAGED_DIR: an administrator's file could name another provider; moor's policy is the one that counts"""


def hermes_home(context: LaunchContext) -> Path:
    """HERMES_HOME of the session."""
    return context.session_home / ID


def plan(context: LaunchContext) -> LaunchPlan:
    """Reads files of the user's and the repository's, writes none. Raises AgentCommandRefused, AgentModelUnknown."""
    given = Checked(["acp"], None) if context.mode == SERVER else checked(context.args, context.models)
    if given.model is not None:
        context = msgspec.structs.replace(context, model=given.model)
    user = read_user_config(context.user_home, context.environ)
    plugins = read_plugins(context.session.cwd)
    note = version_note(context.installed.version)
    start = context.session_home / "start.json"
    return LaunchPlan(
        argv=(interpreter(context.installed.path), "-I", str(_SHIM), str(start), *given.args),
        env=_environment(context),
        cwd=context.session.cwd,
        files=tuple(_files(context, start, user, plugins)),
        links=tuple(_links(context)),
        left_out=(*user.left_out, *_left_out(context, plugins)),
        notes=(note,) if note else (),
    )


def _left_out(context: LaunchContext, plugins: Plugins) -> list[LeftOut]:
    rules = rules_left_out(context.session.cwd)
    return rules if context.trusted else [*plugins.left_out, *rules]


def _environment(context: LaunchContext) -> dict[str, str]:
    env = {name: value for name, value in context.environ.items() if not name.startswith(_STRIPPED)}
    env.update(_SWITCHES)
    env["HERMES_HOME"] = str(hermes_home(context))
    env[KEY_VARIABLE] = context.key.reveal()
    return env


def _links(context: LaunchContext) -> list[PlannedLink]:
    home = hermes_home(context)
    return [PlannedLink(str(home / name), str(context.home / name)) for name in (*_FOLDERS, *_FILES)]


def _files(context: LaunchContext, start: Path, user: UserConfig, plugins: Plugins) -> list[PlannedFile]:
    """The start file, moor's plugin, those of a trusted repository, and the kept folders."""
    files = [PlannedFile(str(context.home / name / ".keep"), b"") for name in _FOLDERS]
    files.append(PlannedFile(str(start), json.dumps(_start(context, user, plugins)).encode()))
    folder = hermes_home(context) / "plugins"
    files.append(PlannedFile(str(folder / _PLUGIN / "plugin.yaml"), b'{"name": "moor", "version": "1"}\n'))
    files.append(PlannedFile(str(folder / _PLUGIN / "__init__.py"), Path(plugin.__file__).read_bytes()))
    told = {"driven": context.mode == SERVER, "effort": context.effort, "effort_models": effort_models(context)}
    files.append(PlannedFile(str(hermes_home(context) / plugin.TOLD), json.dumps(told).encode()))
    if context.trusted:
        files += [PlannedFile(str(folder / name), content) for name, content in plugins.files.items()]
    return files


def _start(context: LaunchContext, user: UserConfig, plugins: Plugins) -> dict[str, Any]:
    """What the shim is told."""
    enabled = [_PLUGIN, *(plugins.names if context.trusted else ())]
    host, _, port = context.gateway_url.removeprefix("http://").rpartition(":")
    home = hermes_home(context)
    return {
        "program": str(Path(interpreter(context.installed.path)).with_name(ID)),
        "home": str(home),
        "driven": context.mode == SERVER,
        "effort": context.effort if context.effort in EFFORTS else "",
        "allowed": [[host, int(port)]],
        "root": Repository(context.session.cwd).root,
        "config": {
            **ours(context),
            "plugins": {"enabled": enabled},
            "skills": {"external_dirs": [str(home / "user-skills")], "inline_shell": False},
        },
        "kept": str(context.home / "kept.json"),
        "user_config": user.settings,
        "user_soul": str(user.folder / "SOUL.md"),
        "user_skills": user.skills,
        "skills": str(home / "user-skills"),
        "seeds": user.seeds(context.home / "memories"),
    }
