"""A launch of Codex as data: argv, environment, private files, links to what outlives the session."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from moor.agents.base import LaunchContext
from moor.agents.codex.arguments import checked, command_of
from moor.agents.codex.config import (
    HOME_VARIABLE,
    KEY_VARIABLE,
    PROXIES,
    SERVER,
    STATE_VARIABLE,
    merged,
    needs_other_temporary,
    ours,
    temporary,
    unseen,
)
from moor.agents.codex.extras import Extras, read_extras
from moor.agents.codex.managed import managed_notes
from moor.agents.codex.release import version_note
from moor.agents.codex.repo import RepoConfig, read_repository
from moor.agents.codex.toml import settings
from moor.agents.codex.user_config import UserConfig, read_user_config
from moor.domain.plan import LaunchPlan, LeftOut, Once, PlannedFile, PlannedLink
from moor.run.spawn import python_argv
from moor.wire.catalogue import PROMPT, catalogue

if TYPE_CHECKING:
    from moor.agents.codex.servers import Servers

_KEPT_FOLDERS: Final = ("sessions", "archived_sessions")
"""conversations, seen by every home"""
_HOOKS_OF_ARGUMENTS: Final = "/<session-flags>/config.toml"
"""how Codex names the place of hooks that stand on its command line"""
_MOUNTED: Final = (".git", ".agents", ".codex", ".aws")
"""folders that its sandbox lets no command write, made where they are missing (0.169.0)"""
RULES: Final = "rules.md"
"""in the session's folder: rules of the repository, for the driver to hand over"""


def plan(context: LaunchContext) -> LaunchPlan:
    """Reads files of the user's and the repository's, writes none. Raises AgentCommandRefused, AgentModelUnknown."""
    args = _arguments(context)
    in_terminal = context.mode != SERVER
    user = read_user_config(context.user_home, context.environ, terminal=in_terminal)
    repository = read_repository(context.session.cwd, user.rule_names)
    extras = read_extras(context.session.cwd) if context.trusted else Extras((), {})
    # its own interface asks at every start of a folder that it does not trust
    interactive = in_terminal and command_of(args) in ("", "resume", "fork")
    trust = interactive and not repository.has_folder
    files = _Files(context)
    own = ours(context, user, str(files.catalogue), str(files.prompt), trust=trust)
    let_in = _let_in(extras, context) if extras.config else None
    config = merged({**user.sifted.settings, **(let_in.config if let_in else {})}, own)
    rules = "" if trust else _rules(repository)
    if rules and in_terminal:
        said = [config["developer_instructions"]] if "developer_instructions" in config else []
        config["developer_instructions"] = "\n\n".join([*said, rules])
    flags = [word for setting in settings(config) for word in ("-c", setting)]
    return LaunchPlan(
        argv=(context.installed.path, *flags, *args),
        env={**_environment(context, files, remote=_asks_afar(extras)), **(let_in.env if let_in else {})},
        cwd=context.session.cwd,
        files=(*files.written(user, rules), *(let_in.files if let_in else ())),
        links=tuple(files.links(user)),
        left_out=tuple(_left_out(user, repository, extras)),
        notes=tuple(_notes(context, asks=interactive and repository.has_folder)),
        once=files.once(),
        leavings=tuple(_leavings(context, config, args)) if in_terminal else (),
    )


def _let_in(extras: Extras, context: LaunchContext) -> Servers:
    """What of a trusted repository runs."""
    from moor.agents.codex.hooks import accepted
    from moor.agents.codex.servers import told

    servers = told(extras.config.get("mcp_servers", {}), context.session_home, asking=context.mode == SERVER)
    config: dict[str, Any] = {"mcp_servers": servers.config} if servers.config else {}
    if "hooks" in extras.config:
        config["hooks"] = accepted(extras.config["hooks"], _HOOKS_OF_ARGUMENTS)
    return msgspec.structs.replace(servers, config=config)


class _Files:
    """Where things of one launch lie.

    A driven session has a home of its own: what a person allowed for ever in the interface (`rules/`) does not count
    there. Settings files in a home are written anew at each launch; what counts stands on the command line, which
    other users of the machine can read, and so the user's proxies do not: they may hold a password.
    """

    def __init__(self, context: LaunchContext) -> None:
        self._context = context
        self.home = context.home / ("driven" if context.mode == SERVER else "terminal")
        self.state = context.home / "state"
        self.temporary = context.session_home / "tmp"
        self.catalogue = context.session_home / "models.json"
        self.prompt = context.home / f"prompt-{context.installed.version}.md"

    def written(self, user: UserConfig, rules: str) -> list[PlannedFile]:
        """Catalogue and rules, emptied settings, and the folders that links lead to."""
        context = self._context
        models = catalogue(context.models, PROMPT, context.effort)
        empty = [self.home / name for name in (".env", "AGENTS.override.md")]
        empty += [folder / ".keep" for folder in (self.state, *(context.home / name for name in _KEPT_FOLDERS))]
        if needs_other_temporary(context):
            empty.append(self.temporary / ".keep")
        if context.mode == SERVER:
            empty.append(self.home / "rules" / "default.rules")
        return [
            *(PlannedFile(str(path), b"") for path in empty),
            PlannedFile(str(self.home / "config.toml"), "".join(settings(unseen(context))).encode()),
            PlannedFile(str(self.home / "AGENTS.md"), user.rules.encode()),
            PlannedFile(str(self.catalogue), json.dumps(models).encode()),
            PlannedFile(str(context.session_home / RULES), rules.encode()),
        ]

    def links(self, user: UserConfig) -> list[PlannedLink]:
        """To conversations in the private home, and to skills of the user's own."""
        kept = [(name, self._context.home / name) for name in _KEPT_FOLDERS]
        own = [(name, Path(target)) for name, target in user.links.items()]
        return [PlannedLink(str(self.home / name), str(target)) for name, target in (*kept, *own)]

    def once(self) -> Once:
        """Ask the program for its base prompt, before the first start of its version."""
        argv = python_argv("moor.agents.codex.prompt", self._context.installed.path, str(self.prompt))
        return Once(tuple(argv), str(self.prompt), "its base prompt is kept")


def _leavings(context: LaunchContext, config: dict[str, Any], args: list[str]) -> Iterator[str]:
    """Where its sandbox mounts over folders that it makes for the purpose: in each place a command may write."""
    own = config.get("sandbox_workspace_write", {}).get("writable_roots", ())
    added = [after for word, after in pairwise(args) if word == "--add-dir"]
    roots = (context.session.cwd, "/tmp", temporary(context), *own, *added)  # noqa: S108 - as Codex has it
    for root in dict.fromkeys(os.path.realpath(os.path.join(context.session.cwd, root)) for root in roots):  # noqa: PTH118
        yield from (f"{root}/{name}" for name in _MOUNTED)


def _asks_afar(extras: Extras) -> bool:
    """Whether an MCP server of a trusted repository is reached over HTTP, by Codex itself."""
    servers = extras.config.get("mcp_servers", {})
    return any("url" in server for server in servers.values())


def _environment(context: LaunchContext, files: _Files, *, remote: bool) -> dict[str, str]:
    env = {name: value for name, value in context.environ.items() if not name.startswith("CODEX_")}
    env[HOME_VARIABLE] = str(files.home)
    env[STATE_VARIABLE] = str(files.state)
    env[KEY_VARIABLE] = context.key.reveal()
    env["PWD"] = context.session.cwd
    if needs_other_temporary(context):
        env["TMPDIR"] = str(files.temporary)
    if not remote:
        env.update(dict.fromkeys(PROXIES, context.gateway_url))
    return env


def _rules(repository: RepoConfig) -> str:
    """The repository's rules, each under the name of its file."""
    return "\n\n".join(f"# {shown} of this repository\n\n{text.strip()}" for shown, text in repository.rules)


def _left_out(user: UserConfig, repository: RepoConfig, extras: Extras) -> list[LeftOut]:
    let_in = {extra.where for extra in extras.items if extra.what.startswith("hooks.")}
    servers = {(extra.what, extra.where) for extra in extras.items}
    kept = [
        item
        for item in repository.sifted.left_out
        if (item.what, item.where) not in servers
        and not (item.what == "hooks" and item.where in let_in)
        and not (item.what == "hooks.json" and f"{item.where}/hooks.json" in let_in)
    ]
    return [*user.sifted.left_out, *kept]


def _notes(context: LaunchContext, *, asks: bool) -> list[str]:
    notes = [version_note(context.installed.version)]
    if asks:
        notes.append(
            "Codex asks once more about this folder, because of its .codex: press Enter to open it restricted"
        )
    return [note for note in [*notes, *managed_notes()] if note]


def _arguments(context: LaunchContext) -> list[str]:
    if context.mode == SERVER:
        return ["app-server"]
    return checked(context.args, context.models, context.session.cwd)
