"""The user's own arguments to Hermes: passed on, but for those that would leave the wire. Facts: hermes.md 1, 5.

Hermes takes shortened options (`--prov` for `--provider`), so a long one has to be known in full.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from moor.agents.hermes.release import ID
from moor.domain.models import Model
from moor.errors.agent import AgentCommandRefused, AgentModelUnknown

_INSTALLED = "moor installs it and knows which versions work; moor agents install hermes"
_SIGNED_IN = "credentials stay in moor, the agent has none; moor login"
_SERVER = "it would open a port, or run without anybody who sees it; moor run drives Hermes without a terminal"
_CONFIG = "moor writes its configuration at each start; moor config show --explain"
_OUTSIDE = "it speaks to services outside of this machine; moor run works in scripts and CI"
_PLUGINS = "plugins and hooks of yours are not loaded; moor trust lets those of a repository in"

REFUSED: Final = {
    **dict.fromkeys(("update", "uninstall", "postinstall", "setup", "desktop", "gui", "claw", "import"), _INSTALLED),
    **dict.fromkeys(("login", "logout", "auth", "portal", "secrets", "pairing"), _SIGNED_IN),
    **dict.fromkeys(("serve", "dashboard", "acp", "gateway", "proxy", "cron", "webhook", "kanban"), _SERVER),
    **dict.fromkeys(("model", "moa", "fallback", "config", "profile", "migrate", "console", "tools"), _CONFIG),
    **dict.fromkeys(("whatsapp", "whatsapp-cloud", "slack", "send", "debug", "security", "pets"), _OUTSIDE),
    **dict.fromkeys(("hooks", "plugins", "bundles", "computer-use", "lsp"), _PLUGINS),
    "mcp": "MCP servers of your own config are not loaded; moor hermes",
}
_COMMANDS: Final = frozenset(
    {"chat", "sessions", "insights", "version", "status", "logs", "checkpoints", "prompt-size", "journey", "memory"}
    | {"learning", "memory-graph", "skills", "curator", "completion", "dump", "doctor", "backup", "project"}
)
_OWN_CONFIG = "the model would be asked for without moor; moor hermes"
_ONCE = "it approves every command and ends with 0 when it failed; moor run --agent hermes"
REFUSED_FLAGS: Final = {
    "-z": _ONCE,
    "--oneshot": _ONCE,
    "--usage-file": _ONCE,
    "--provider": "the gateway is its only provider; moor hermes -m MODEL",
    "-p": "another profile is another configuration; moor hermes",
    "--profile": "another profile is another configuration; moor hermes",
    "--ignore-user-config": _OWN_CONFIG,
    "--safe-mode": _OWN_CONFIG,
    "--tui": "it is another program, which is not tested with moor; moor hermes",
    "--dev": "it is another program, which is not tested with moor; moor hermes",
    "--accept-hooks": _PLUGINS,
}
_MODEL_FLAGS: Final = ("-m", "--model")
_VALUES: Final = frozenset(
    {"-t", "--toolsets", "-r", "--resume", "-s", "--skills", "-q", "--query", "--image", "--max-turns", "--source"}
)
_MAYBE_VALUES: Final = frozenset({"-c", "--continue"})
_SWITCHES: Final = frozenset(
    {"-h", "--help", "-V", "--version", "-w", "--worktree", "-v", "--verbose", "-Q", "--quiet", "--yolo", "--cli"}
    | {"--no-restore-cwd", "--pass-session-id", "--ignore-rules", "--checkpoints"}
)
_TALKS: Final = ("", "chat")
"""commands that take the options above; the options of others are their own"""


class Checked(NamedTuple):
    """The arguments to start Hermes with, and the model that they name."""

    args: list[str]
    model: Model | None


def checked(args: tuple[str, ...], models: tuple[Model, ...]) -> Checked:
    """A named model is taken out: the configuration carries it. Raises AgentCommandRefused, AgentModelUnknown."""
    out: list[str] = []
    command = ""
    model: Model | None = None
    words = iter(args)
    for word in words:
        if not word.startswith("-"):
            if not command and _expects(out):
                out.append(word)
                continue
            command = command or _command(word)
            out.append(word)
            continue
        if command not in _TALKS:
            out.append(_harmless(word))
            continue
        name, value = _split(word)
        if name in _MODEL_FLAGS:
            model = _model(value if value is not None else next(words, ""), models)
            continue
        out.append(_flag(name, word))
        if name in _VALUES and value is None and (given := next(words, None)) is not None:
            out.append(given)
    return Checked(out if command else ["--cli", *(arg for arg in out if arg != "--cli")], model)


def _expects(out: list[str]) -> bool:
    """Whether the last option may take the next word: `--continue NAME`."""
    return bool(out) and out[-1] in _MAYBE_VALUES


def _split(word: str) -> tuple[str, str | None]:
    """The option and a value that hangs on it: `--model=x`, `-mx`."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return name, value if equals else None
    return word[:2], word[2:] or None


def _flag(name: str, word: str) -> str:
    _harmless(name)
    if name not in _VALUES | _MAYBE_VALUES | _SWITCHES:
        raise AgentCommandRefused(agent=ID, what=name, why="it is not known to this moor; write options out in full")
    return word


def _harmless(word: str) -> str:
    name, _ = _split(word)
    if name in REFUSED_FLAGS:
        raise AgentCommandRefused(agent=ID, what=name, why=REFUSED_FLAGS[name])
    return word


def _command(word: str) -> str:
    if word not in _COMMANDS:
        why = REFUSED.get(word, "this moor does not know it; moor hermes --help")
        raise AgentCommandRefused(agent=ID, what=word, why=why)
    return word


def _model(value: str, models: tuple[Model, ...]) -> Model:
    """A bare id, or one behind a provider of ours."""
    bare = value.removeprefix("custom:").removeprefix("moor-chat:").removeprefix("moor:").removeprefix("moor/")
    for model in models:
        if model.id == bare:
            return model
    raise AgentModelUnknown(agent=ID, model=value, allowed=tuple(model.id for model in models))
