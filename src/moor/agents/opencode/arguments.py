"""The user's own arguments to OpenCode: passed on verbatim, but for those that would leave the wire.

Facts/opencode 12: flags of the terminal interface and of `run`; a positional path moves the working directory.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from moor.agents.base import split_at_dashes
from moor.agents.opencode.providers import PROVIDER_IDS, model_ref
from moor.agents.opencode.release import ID
from moor.domain.models import Model
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown

_INSTALLED = "moor installs it and knows which versions work; moor agents install opencode"
_SIGNED_IN = "credentials stay in moor, the agent has none; moor login"
_SERVER = "it would open a port that runs shell commands; moor run drives OpenCode without a terminal"

REFUSED: Final = {
    "upgrade": _INSTALLED,
    "uninstall": "moor removes it; moor agents remove opencode",
    "auth": _SIGNED_IN,
    "providers": _SIGNED_IN,
    "login": _SIGNED_IN,
    "logout": _SIGNED_IN,
    "console": _SIGNED_IN,
    "github": "it sets up a service outside of this machine; moor run works in CI",
    "web": _SERVER,
    "serve": _SERVER,
    "attach": "another server's model calls do not pass the gateway; moor opencode",
    "plugin": "plugins of yours are not loaded; moor trust lets those of a repository in",
    "plug": "plugins of yours are not loaded; moor trust lets those of a repository in",
    "mcp": "MCP servers of your own config are not loaded; moor trust lets those of a repository in",
}

_REFUSED_FLAGS: Final = {
    "--port": _SERVER,
    "--hostname": _SERVER,
    "--mdns": _SERVER,
    "--mdns-domain": _SERVER,
    "--cors": _SERVER,
    "--attach": REFUSED["attach"],
    "--share": "sharing sends the conversation to another company; opencode export writes it to a file",
}

_VALUE_FLAGS: Final = frozenset(
    {"-m", "--model", "-s", "--session", "--prompt", "--agent", "--log-level", "-f", "--file", "--title"}
    | {"--format", "--command", "--variant", "--dir", "-u", "--username", "-p", "--password", "--replay-limit"}
)
_COMMANDS: Final = frozenset(
    {"acp", "agent", "completion", "db", "debug", "export", "import", "models", "pr", "run", "session", "stats"}
)
_MODEL_FLAGS: Final = ("-m", "--model")
_RUN: Final = "run"
_NUMBER: Final = re.compile(r"[-+]?(\d|\.\d)")


def checked(args: tuple[str, ...], models: tuple[Model, ...], cwd: str) -> list[str]:
    """The arguments to start OpenCode with. Raises AgentCommandRefused, AgentModelUnknown."""
    refs = {model.id: model_ref(model) for model in models}
    own, behind = split_at_dashes(args)
    out: list[str] = []
    message: list[str] = []
    command = ""
    waiting = ""
    for arg in own:
        if waiting:
            out.append(_value(waiting, arg, refs, cwd))
            waiting = ""
            continue
        if arg.startswith("-"):
            waiting = _flag(arg, refs, cwd, out)
            continue
        if command == _RUN:
            message.append(arg)
            continue
        if not command:
            command = _command(arg, cwd)
        out.append(arg)
    words, tail = _message(message, list(behind))
    # right behind `run`: -f would take them for files (12.2)
    at = out.index(_RUN) + 1 if command == _RUN else len(out)
    return [*out[:at], *words, *out[at:], *tail]


def _message(words: list[str], tail: list[str]) -> tuple[list[str], list[str]]:
    """The words of a prompt for `opencode run` and what stands behind `--`, so that the model gets them as typed.

    OpenCode puts a word that holds a space into quotation marks (12.2), so words are split at spaces; it joins them
    again. One that begins with a dash has to stand behind `--`, where a number makes it fail: then nothing is split.
    """
    if not any(" " in word for word in [*words, *tail]):
        return words, tail
    split = " ".join([*words, *tail[1:]]).split(" ")
    first = next((at for at, part in enumerate(split) if part.startswith("-")), len(split))
    if any(_NUMBER.match(part) for part in split[first:]):
        return words, tail
    return split[:first], ["--", *split[first:]] if first < len(split) else []


def _flag(arg: str, refs: dict[str, str], cwd: str, out: list[str]) -> str:
    """Appends the flag; returns its name when its value comes next."""
    name, equals, value = arg.partition("=")
    if not equals and len(arg) > 2 and arg[:2] in _MODEL_FLAGS and not arg.startswith("--"):
        name, equals, value = arg[:2], "=", arg[2:]
    if name in _REFUSED_FLAGS:
        raise AgentCommandRefused(agent=ID, what=name, why=_REFUSED_FLAGS[name])
    if equals:
        out.append(f"{_long(name)}={_value(name, value, refs, cwd)}")
        return ""
    out.append(name)
    return name if name in _VALUE_FLAGS else ""


def _long(name: str) -> str:
    return "--model" if name in _MODEL_FLAGS else name


def _value(flag: str, value: str, refs: dict[str, str], cwd: str) -> str:
    if flag in _MODEL_FLAGS:
        return _model(value, refs)
    if flag == "--dir" and not _same_folder(value, cwd):
        raise AgentCommandRefused(agent=ID, what=f"--dir {value}", why=_elsewhere(value))
    return value


def _model(value: str, refs: dict[str, str]) -> str:
    """OpenCode's name of the model; a bare id and one with a provider of ours are understood."""
    provider, _, rest = value.partition("/")
    bare = rest if provider in PROVIDER_IDS else value
    if bare not in refs:
        raise AgentModelUnknown(agent=ID, model=value, allowed=tuple(refs))
    return refs[bare]


def _command(word: str, cwd: str) -> str:
    if word in REFUSED:
        raise AgentCommandRefused(agent=ID, what=word, why=REFUSED[word])
    if word not in _COMMANDS and not _same_folder(word, cwd):
        raise AgentCommandRefused(agent=ID, what=word, why=_elsewhere(word))
    return word


def _elsewhere(path: str) -> str:
    return f"its first word is a folder to work in, and a session belongs to one; cd {path} && moor {ID}"


def _same_folder(path: str, cwd: str) -> bool:
    return Path(cwd, path).resolve() == Path(cwd).resolve()
