"""Starts Hermes. Runs in Hermes' own interpreter, with the standard library only: it imports nothing of moor.

    python -I shim.py START.json [Hermes' arguments]

Before Hermes is loaded it writes the configuration (the user's own settings as far as they are harmless, what was
kept of earlier sessions, and what moor decides, which wins) and sets a guard: Hermes' process connects to the gateway
and to nothing else, and asks no name server. Commands that its tools run are processes of their own.
When Hermes ends, what the user chose inside it is kept for the next session.

Over the protocol by which moor drives it, Hermes passes every turn off as a good one, takes no effort and no
fallback, and offers its browser, whatever its configuration says: a driven session is followed, and told those.
"""

from __future__ import annotations

import atexit
import importlib
import json
import os
import runpy
import shutil
import sys
from typing import Any

SETTINGS = ("display", "personalities", "timezone", "memory", "tool_output", "checkpoints")
"""sections of the user's own config.yaml that are taken over; the others name places, programs or credentials"""
KEPT = ("display", "personalities", "memory", "command_allowlist", "onboarding")
"""sections that are kept from one session to the next"""
RULES = ("/AGENTS.md", "/HERMES.md", "/.hermes.md", "/CLAUDE.md", "/.cursorrules", ".mdc", "/agents.md", "/claude.md")
"""ends of the names of files that Hermes puts before the model by itself"""
TURN = "turn.json"
"""file in Hermes' home that says how a driven turn ended: `problem`, empty for a good end"""
TOOLSET = "hermes-acp"
AWAY = ("browser_", "web_")
"""tools of that set which speak to the world outside"""
MAX_BYTES = 1 << 20
MAX_SKILL_FILES = 2_000
_NAME_LOOKUPS = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr")
_LOOPBACK = ("", "localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - a name that is looked up


def main() -> None:
    """Prepare the home, set the guard, become Hermes."""
    with open(sys.argv[1], encoding="utf-8") as file:  # noqa: PTH123
        start = json.load(file)
    written = write_config(start)
    copy_files(start)
    copy_skills(start)
    atexit.register(keep, start, written)
    sys.addaudithook(Guard(start["allowed"], start["root"]))
    if start["driven"]:
        follow(start)
    sys.argv = [start["program"], *sys.argv[2:]]
    runpy.run_path(start["program"], run_name="__main__")


class Guard:
    """Raises ConnectionRefusedError for a connection that goes elsewhere than to an allowed (address, port), and
    PermissionError where a rules file is a link out of the repository, which is at `root`.
    """

    def __init__(self, allowed: list[list[Any]], root: str) -> None:
        self._allowed = {(address, port) for address, port in allowed}
        self._root = root.rstrip("/") + "/"

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        """Called by the interpreter for every audited event of the process."""
        if event == "open":
            self._opened(args[0])
        if not event.startswith("socket."):
            return
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            self._connection(args[1])
        elif event in _NAME_LOOKUPS and _text(args[0]) not in _LOOPBACK:
            raise ConnectionRefusedError(f"moor: {_text(args[0])} is not reached; models are those of the gateway")

    def _opened(self, path: Any) -> None:
        if isinstance(path, str) and path.endswith(RULES) and not os.path.realpath(path).startswith(self._root):
            raise PermissionError(f"moor: {path} is a link out of the repository")

    def _connection(self, address: Any) -> None:
        """An address that is no pair is one of a Unix socket, or none at all."""
        if isinstance(address, tuple) and (address[0], address[1]) not in self._allowed:
            raise ConnectionRefusedError(f"moor: {address[0]}:{address[1]} is not the gateway")


def follow(start: dict[str, Any]) -> None:
    """Put a hand on the making of the session's agent. Raises where this is not the Hermes that is known."""
    sessions = importlib.import_module("acp_adapter.session")
    tools = importlib.import_module("toolsets").TOOLSETS[TOOLSET]["tools"]
    tools[:] = [name for name in tools if not name.startswith(AWAY)]
    parsed = importlib.import_module("hermes_constants").parse_reasoning_effort
    make = sessions.SessionManager._make_agent

    def made(self: Any, **given: Any) -> Any:
        agent = make(self, **given)
        agent.reasoning_config = parsed(start["effort"])
        agent._fallback_chain = list(start["config"]["fallback_providers"])
        agent.run_conversation = told(agent.run_conversation, start["home"] + "/" + TURN)
        return agent

    sessions.SessionManager._make_agent = made


def told(work: Any, path: str) -> Any:
    """A turn that writes down how it ended."""

    def turn(*args: Any, **given: Any) -> Any:
        try:
            result = work(*args, **given)
        except Exception as error:
            write_turn(path, str(error) or type(error).__name__)
            raise
        write_turn(path, problem(result))
        return result

    return turn


def problem(result: dict[str, Any]) -> str:
    """Why a turn failed; empty where it did not, or where it was stopped."""
    if result.get("interrupted") or (result.get("completed") and not result.get("failed")):
        return ""
    words = result.get("error") or result.get("final_response") or "Hermes stopped before it was done"
    return str(words)


def write_turn(path: str, text: str) -> None:
    """In one step: moor reads it when the turn ends."""
    with open(path + ".new", "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump({"problem": text}, file)
    os.replace(path + ".new", path)  # noqa: PTH105


def write_config(start: dict[str, Any]) -> dict[str, Any]:
    """The user's settings, under what was kept, under what moor decides; as it was written."""
    config = {name: value for name, value in read(start["user_config"]).items() if name in SETTINGS}
    config.update({name: value for name, value in read(start["kept"]).items() if name in KEPT})
    config.update(start["config"])
    if isinstance(config.get("memory"), dict):
        config["memory"]["provider"] = ""
    config.setdefault("onboarding", {"seen": {}, "profile_build": "off"})
    path = start["home"] + "/config.yaml"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        json.dump(config, file)
    return config


def copy_files(start: dict[str, Any]) -> None:
    """The user's own SOUL.md at each start; memories once, for they grow apart from there."""
    for source, target in [[start["user_soul"], start["home"] + "/SOUL.md"], *start["seeds"]]:
        if os.path.isfile(source) and not os.path.exists(target):  # noqa: PTH110, PTH113
            try:
                shutil.copyfile(source, target)
            except OSError:
                continue


def keep(start: dict[str, Any], written: dict[str, Any]) -> None:
    """What the user chose inside Hermes, and nothing that only came from their own file: that may change.

    A file that cannot be read or written is left.
    """
    config = read(start["home"] + "/config.yaml")
    chosen = {name: config[name] for name in KEPT if name in config and config[name] != written.get(name)}
    if not chosen:
        return
    chosen = {**{name: value for name, value in read(start["kept"]).items() if name in KEPT}, **chosen}
    aside = f"{start['kept']}.{os.getpid()}"
    try:
        with open(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
            json.dump(chosen, file)
        os.replace(aside, start["kept"])  # noqa: PTH105
    except OSError:
        return


def copy_skills(start: dict[str, Any]) -> None:
    """The user's own skills, but for those that ship with Hermes: it would change skills in place."""
    source = start["user_skills"]
    if not os.path.isdir(source):  # noqa: PTH112
        return
    shipped = {line.partition(":")[0] for line in lines(source + "/.bundled_manifest")}
    left = MAX_SKILL_FILES
    for folder, _, names in os.walk(source):
        if "SKILL.md" not in names or os.path.basename(folder) in shipped:  # noqa: PTH119
            continue
        left -= len(names)
        if left < 0:
            return
        target = os.path.join(start["skills"], os.path.relpath(folder, source))  # noqa: PTH118
        try:
            shutil.copytree(folder, target, symlinks=True, dirs_exist_ok=True)
        except (OSError, shutil.Error):
            continue


def read(path: str) -> dict[str, Any]:
    """A YAML file's mapping; {} where there is none, or no sound one."""
    yaml = importlib.import_module("yaml")
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            found = yaml.load(file.read(MAX_BYTES), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, ValueError, yaml.YAMLError):
        return {}
    return found if isinstance(found, dict) else {}


def lines(path: str) -> list[str]:
    """The lines of a file; [] where there is none."""
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            return file.read(MAX_BYTES).splitlines()
    except (OSError, ValueError):
        return []


def _text(host: Any) -> str:
    if isinstance(host, bytes):
        return host.decode("ascii", "replace")
    return host if isinstance(host, str) else ""


if __name__ == "__main__":
    main()
