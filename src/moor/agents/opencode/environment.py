"""Where OpenCode lives during a session: private XDG folders for it, the user's own for the tools it runs.

What was tried on 1.18.33:
- HOME stays the user's, so that git, ssh and gh behave; OPENCODE_TEST_HOME moves only what OpenCode itself looks
  up there (`~/.opencode`), and nothing of it is read or written then.
- XDG_* must be private and are inherited by the tools. So the `shell` of OpenCode is a two-line script of ours, that
  puts the user's values back, drops what only OpenCode needs (its config, its server's password), and becomes the
  user's shell.
- config and home are the session's own and empty: what an agent writes there is never read by a later session.
  History (data), settings of the interface (state) and cache are kept.
- each start leaves a library of 5 to 14 MB in the temporary folder (Bun unpacks it and never removes it), and an
  `opencode` folder that its model is told to use; so TMPDIR is the session's own too, and goes with it. Tools get
  the user's back, and `moor run` counts that folder as inside.
- a `.env` and a `bunfig.toml` in the working directory are not read.
- its interface fetches grammars for colouring code from github.com when a file of their language is shown, and has
  no switch against it; so its worker for that is one of ours, that takes `fetch` away and becomes the built-in one.
  Languages whose grammar is built in (TypeScript, JavaScript, Markdown, Zig) are coloured, the others are not.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Final

from moor.agents.base import LaunchContext
from moor.agents.opencode.release import ripgrep_folder
from moor.domain.plan import PlannedFile

SWITCHES: Final = {
    "OPENCODE_DISABLE_PROJECT_CONFIG": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    "OPENCODE_DISABLE_CLAUDE_CODE": "1",
    "OPENCODE_DISABLE_EXTERNAL_SKILLS": "1",
    "OPENCODE_DISABLE_SHARE": "1",
    "OPENCODE_AUTH_CONTENT": "{}",
}
"""OPENCODE_AUTH_CONTENT: no stored login of OpenCode's own, and no remote config that one names (4.3, layer 1)"""

MARKERS: Final = {
    "node_modules/.keep": b"",
    "package.json": b'{"dependencies":{"@opencode-ai/plugin":"*"}}\n',
    "package-lock.json": b'{"lockfileVersion":3,"packages":{"":{"dependencies":{"@opencode-ai/plugin":"*"}}}}\n',
    ".gitignore": b"*\n",
}
"""without them OpenCode fetches 63 MB of its plugin kit into each config folder, or hangs 70 s offline (5.2)"""

_WORKER: Final = b"""globalThis.fetch = async () => { throw new Error("grammars are not fetched") }
await import("/$bunfs/root/opentui-tree-sitter-worker.js")
"""

_SHELLS: Final = ("bash", "zsh", "sh")
_LEFT_ALONE: Final = ("PATH", "PWD")


class Places:
    """The private folders of one launch."""

    def __init__(self, context: LaunchContext) -> None:
        self.xdg = {
            "XDG_CONFIG_HOME": context.session_home / "config",
            "XDG_DATA_HOME": context.home / "data",
            "XDG_STATE_HOME": context.home / "state",
            "XDG_CACHE_HOME": context.home / "cache",
        }
        self.global_config = context.session_home / "config" / "opencode"
        self.config = context.session_home / "opencode"
        """OPENCODE_CONFIG_DIR"""
        self.home = context.session_home / "home"
        self.bin = context.session_home / "bin"
        self.worker = self.bin / "colours.mjs"
        """entry of the thread that colours code"""
        self.npm_cache = context.session_home / "npm"
        self.temporary = context.session_home / "tmp"


def environment(context: LaunchContext, content: str, *, pure: bool) -> dict[str, str]:
    """The whole environment. `content`: the config that nothing overrides; `pure`: no plugin at all."""
    places = Places(context)
    env = {name: value for name, value in context.environ.items() if not name.startswith("OPENCODE")}
    env.update({name: str(path) for name, path in places.xdg.items()})
    env.update(SWITCHES)
    env["OPENCODE_TEST_HOME"] = str(places.home)
    env["OPENCODE_CONFIG_DIR"] = str(places.config)
    env["OPENCODE_CONFIG_CONTENT"] = content
    env["npm_config_cache"] = str(places.npm_cache)
    env["TMPDIR"] = str(places.temporary)
    env["OTUI_TREE_SITTER_WORKER_PATH"] = str(places.worker)
    env["PWD"] = context.session.cwd
    if pure:
        env["OPENCODE_PURE"] = "1"
    if not _which("rg", env.get("PATH", "")) and (folder := ripgrep_folder(context.installed.path)):
        env["PATH"] = f"{env['PATH']}:{folder}" if env.get("PATH") else folder
    return env


def marker_files(context: LaunchContext) -> list[PlannedFile]:
    """Files that keep OpenCode from fetching its plugin kit into each config folder, and grammars."""
    places = Places(context)
    folders = (places.global_config, places.config)
    files = [PlannedFile(str(folder / name), data) for folder in folders for name, data in MARKERS.items()]
    files += [PlannedFile(str(folder / ".keep"), b"") for folder in (places.home, places.temporary)]
    return [*files, PlannedFile(str(places.worker), _WORKER)]


def user_shell(environ: dict[str, str]) -> str:
    """The shell that runs the agent's commands: the user's own where OpenCode can use it, else bash or sh."""
    named = environ.get("SHELL", "")
    if Path(named).name in _SHELLS and os.access(named, os.X_OK):
        return named
    return _which("bash", environ.get("PATH", "")) or "/bin/sh"


def shell_path(context: LaunchContext) -> Path:
    """Path of the script, named like the shell: OpenCode chooses arguments by that name."""
    return Places(context).bin / Path(user_shell(context.environ)).name


def wrapper_path(context: LaunchContext) -> Path:
    """Path of a script that runs its arguments with the user's own environment."""
    return Places(context).bin / "own-environment"


def shell_script(context: LaunchContext, env: dict[str, str]) -> PlannedFile:
    """The script that gives the user's own environment back to a tool and becomes the shell."""
    last = f'exec {shlex.quote(user_shell(context.environ))} "$@"'
    return _script(shell_path(context), context, env, last)


def wrapper_script(context: LaunchContext, env: dict[str, str]) -> PlannedFile:
    """The same for a program of a trusted repository."""
    return _script(wrapper_path(context), context, env, 'exec "$@"')


def _script(path: Path, context: LaunchContext, env: dict[str, str], last: str) -> PlannedFile:
    lines = ["#!/bin/sh"]
    for name in sorted(env):
        before = context.environ.get(name)
        if name in _LEFT_ALONE or before == env[name]:
            continue
        lines.append(f"unset {name}" if before is None else f"export {name}={shlex.quote(before)}")
    lines += ["unset OPENCODE_SERVER_PASSWORD OPENCODE_SERVER_USERNAME", last, ""]
    return PlannedFile(str(path), "\n".join(lines).encode(), mode=0o700)


def _which(name: str, path: str) -> str:
    """The program of that name on a PATH; empty for none. shutil would cost a launch 5 ms of imports."""
    for folder in path.split(os.pathsep):
        candidate = os.path.join(folder, name)  # noqa: PTH118
        if folder and os.access(candidate, os.X_OK) and not os.path.isdir(candidate):  # noqa: PTH112
            return candidate
    return ""
