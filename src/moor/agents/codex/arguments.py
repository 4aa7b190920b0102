"""The user's own arguments to Codex: passed on verbatim, but for those that would leave the wire.

Facts/codex 6, 8 and `codex --help` of 0.169.0. An unknown first word is a prompt to Codex.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from moor.agents.base import split_at_dashes
from moor.agents.codex.release import ID
from moor.agents.codex.sift import is_habit
from moor.domain.models import Model
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown

_SIGNED_IN: Final = "credentials stay in moor, the agent has none; moor login"
_INSTALLED: Final = f"moor installs it and knows which versions work; moor agents install {ID}"
_SERVER: Final = "it would run a server that outlives this session; moor run drives Codex without a terminal"
_CLOUD: Final = f"it works on another company's machines; moor {ID}"
_STARTED: Final = "MCP servers and plugins of your own are not loaded; moor trust lets those of a repository in"
_ELSEWHERE: Final = "settings come from ~/.codex/config.toml, filtered; moor config show"

REFUSED: Final = {
    "login": _SIGNED_IN,
    "logout": _SIGNED_IN,
    "update": _INSTALLED,
    "mcp": _STARTED,
    "plugin": _STARTED,
    "mcp-server": f"Codex has no such command any more and would take it for a prompt; moor {ID}",
    "app-server": _SERVER,
    "exec-server": _SERVER,
    "remote-control": _SERVER,
    "agents": _SERVER,
    "queue": _SERVER,
    "cloud": _CLOUD,
    "apply": _CLOUD,
    "a": _CLOUD,
    "doctor": "it asks another company's servers; moor doctor",
    "features": "which features are on is moor's to say; moor run --help",
    "debug": "it starts servers and sends no call through the gateway; moor models lists what can be called",
    "migrate-rollouts": "it rewrites conversations of a home that moor keeps; moor session list",
    "migrate-nfs-db": "it rewrites conversations of a home that moor keeps; moor session list",
}

_REFUSED_FLAGS: Final = {
    "-p": _ELSEWHERE,
    "--profile": _ELSEWHERE,
    "--oss": "model calls pass the gateway only; moor models",
    "--local-provider": "model calls pass the gateway only; moor models",
    "--remote": f"another server's model calls do not pass the gateway; moor {ID}",
    "--remote-auth-token-env": f"another server's model calls do not pass the gateway; moor {ID}",
    "--search": "the search runs at another company; ask for a command that fetches the page",
    "--worktree": "a session belongs to one folder; git worktree add, then start moor there",
    "--enable": "which features are on is moor's to say; moor run --help",
    "--disable": "which features are on is moor's to say; moor run --help",
    "--ignore-user-config": f"moor's own settings stand there, the address of the gateway among them; moor {ID}",
    "--dangerously-bypass-hook-trust": "hooks of yours are not loaded; moor trust lets those of a repository in",
    "--trust": "Codex would take settings of the repository that reroute it; moor trust",
    "--approve-for-me": f"a model that is not on your list would judge approvals; moor {ID} -a on-request",
}

_VALUE_FLAGS: Final = frozenset(
    {"-c", "--config", "-m", "--model", "-s", "--sandbox", "-C", "--cd", "--add-dir", "-a", "--ask-for-approval"}
    | {"-i", "--image", "--output-schema", "--color", "-o", "--output-last-message", "--thread-source"}
    | {"--cyber-access-program", "--base", "--commit", "--title"}
)
_SHORT: Final = {flag[1]: flag for flag in _VALUE_FLAGS | set(_REFUSED_FLAGS) if len(flag) == 2}
_LONG: Final = {"-m": "--model", "-c": "--config", "-C": "--cd"}
_EXEC: Final = ("exec", "e")
_SANDBOX: Final = "sandbox"
_COMMANDS: Final = frozenset(
    {"exec", "e", "review", "completion", _SANDBOX, "resume", "fork", "archive", "unarchive", "delete", "help"}
)
_NO_GIT: Final = "--skip-git-repo-check"
"""moor has asked for trust where it matters; a folder without git is no reason to stop"""


def checked(args: tuple[str, ...], models: tuple[Model, ...], cwd: str) -> list[str]:
    """The arguments to start Codex with. Raises AgentCommandRefused, AgentModelUnknown."""
    allowed = tuple(model.id for model in models)
    own, behind = split_at_dashes(args)
    out: list[str] = []
    command = waiting = ""
    for arg in own:
        if command == _SANDBOX:
            out.append(arg)  # a command line of the user's own; no model is asked
        elif waiting:
            out.append(_value(waiting, arg, allowed, cwd))
            waiting = ""
        elif arg.startswith("-") and arg != "-":
            waiting = _flag(arg, allowed, cwd, out)
        else:
            command = command or _command(arg)
            out.append(arg)
            if arg in _EXEC and command == arg and _NO_GIT not in args:
                out.append(_NO_GIT)
    return [*out, *behind]


def command_of(args: list[str]) -> str:
    """The sub-command of checked arguments; empty for Codex's own interface."""
    skip = False
    for arg in args:
        if skip or arg.startswith("-"):
            skip = not skip and arg in _VALUE_FLAGS
            continue
        return arg if arg in _COMMANDS else ""
    return ""


def _flag(arg: str, allowed: tuple[str, ...], cwd: str, out: list[str]) -> str:
    """Appends the flag; returns its name when its value comes next."""
    name, equals, value = arg.partition("=")
    if not arg.startswith("--") and len(arg) > 2 and arg[1] in _SHORT:
        name, equals, value = _SHORT[arg[1]], "=", arg[2:].removeprefix("=")
    if name in _REFUSED_FLAGS:
        raise AgentCommandRefused(agent=ID, what=name, why=_REFUSED_FLAGS[name])
    if equals and name in _VALUE_FLAGS:
        out += [name, _value(name, value, allowed, cwd)]
        return ""
    out.append(arg)
    return name if name in _VALUE_FLAGS else ""


def _value(flag: str, value: str, allowed: tuple[str, ...], cwd: str) -> str:
    long = _LONG.get(flag, flag)
    if long == "--model" and value not in allowed:
        raise AgentModelUnknown(agent=ID, model=value, allowed=allowed)
    if long == "--config":
        _check_config(value, allowed)
    if long == "--cd" and Path(cwd, value).resolve() != Path(cwd).resolve():
        why = f"a session belongs to one folder; cd {value} && moor {ID}"
        raise AgentCommandRefused(agent=ID, what=f"--cd {value}", why=why)
    return value


def _check_config(setting: str, allowed: tuple[str, ...]) -> None:
    """`-c key=value`: the user's habits may be set for one launch, and a model of the list."""
    key, _, value = setting.partition("=")
    key = key.strip()
    if key == "model":
        model = value.strip().strip("\"'")
        if model not in allowed:
            raise AgentModelUnknown(agent=ID, model=model, allowed=allowed)
    elif not is_habit(key):
        why = f"it is no setting that moor lets through; moor {ID} -c model_reasoning_effort=high shows the form"
        raise AgentCommandRefused(agent=ID, what=f"-c {key}", why=why)


def _command(word: str) -> str:
    if word in REFUSED:
        raise AgentCommandRefused(agent=ID, what=word, why=REFUSED[word])
    return word
