"""MCP servers of a trusted repository, told so that no value which may be secret stands on the command line.

A local server's variables go into a private script that starts it, a remote one's headers into variables of Codex's.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.domain.plan import PlannedFile

VARIABLES: Final = "MOOR_CODEX_"
"""prefix of variables that commands do not see"""


class Servers(msgspec.Struct, frozen=True):
    """What goes where."""

    config: dict[str, Any]
    files: tuple[PlannedFile, ...]
    env: dict[str, str]


def told(servers: dict[str, Any], folder: Path, *, asking: bool) -> Servers:
    """`folder`: a private one of the session; `asking`: no tool passes unasked, whatever the repository says."""
    config: dict[str, Any] = {}
    files: list[PlannedFile] = []
    env: dict[str, str] = {}
    for number, (name, server) in enumerate(servers.items()):
        entry = {**server, "default_tools_approval_mode": "prompt"} if asking else dict(server)
        if asking:
            entry.pop("tools", None)
        if isinstance(variables := entry.pop("env", None), dict) and isinstance(entry.get("command"), str):
            path = folder / f"server-{number}"
            files.append(_script(path, variables, entry["command"]))
            entry["command"] = str(path)
        headers = entry.pop("http_headers", None)
        for place, (header, value) in enumerate(headers.items() if isinstance(headers, dict) else ()):
            variable = f"{VARIABLES}HEADER_{number}_{place}"
            env[variable] = str(value)
            entry["env_http_headers"] = {**entry.get("env_http_headers", {}), header: variable}
        config[name] = entry
    return Servers(config, tuple(files), env)


def _script(path: Path, variables: dict[str, Any], command: str) -> PlannedFile:
    lines = [f"export {name}={shlex.quote(str(value))}" for name, value in variables.items() if name.isidentifier()]
    text = "\n".join(["#!/bin/sh", *lines, f'exec {shlex.quote(command)} "$@"', ""])
    return PlannedFile(str(path), text.encode(), mode=0o700)
