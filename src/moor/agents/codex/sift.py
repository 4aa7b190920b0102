"""Keys of a Codex config that are the user's taste and habits, kept; what reroutes, starts or signs in, left out.

The same list serves three places: the user's own config.toml, `-c` on the command line, and, as names only, a
repository's `.codex/config.toml`. Values are checked by form, because Codex refuses to start on a wrong one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from moor.domain.plan import LeftOut

MODEL: Final = "moor chooses the models"
REROUTES: Final = "model calls pass the gateway only"
STARTS: Final = "it starts programs or fetches code"
DECIDED: Final = "moor decides that"
WRONG: Final = "its form is not understood"

_LEFT: Final = {
    **dict.fromkeys(
        ("model", "review_model", "model_catalog_json", "model_instructions_file", "instructions"), MODEL
    ),
    **dict.fromkeys(("model_context_window", "model_auto_compact_token_limit", "service_tier"), MODEL),
    **dict.fromkeys(("model_provider", "model_providers", "openai_base_url", "chatgpt_base_url"), REROUTES),
    **dict.fromkeys(("oss_provider", "web_search", "otel", "profile", "profiles"), REROUTES),
    **dict.fromkeys(
        ("mcp_servers", "notify", "hooks", "plugins", "marketplaces", "apps", "skills", "agents"), STARTS
    ),
}
_APPROVALS: Final = ("untrusted", "on-request", "never")
_SANDBOXES: Final = ("read-only", "workspace-write", "danger-full-access")
_WORDS: Final = ("low", "medium", "high")
_SUMMARIES: Final = ("auto", "concise", "detailed", "none")
_OPENERS: Final = ("vscode", "vscode-insiders", "windsurf", "cursor", "none")
_TEXT_MAX: Final = 64 * 1024

Form = Callable[[Any], bool]


def _one_of(*words: str) -> Form:
    return lambda value: value in words


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _TEXT_MAX


def _word(value: Any) -> bool:
    return isinstance(value, str) and value.isidentifier()


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(_text(item) for item in value)


def _object(**forms: Form) -> Form:
    """An object with these keys only, each in its form."""
    return lambda value: (
        isinstance(value, dict) and all(name in forms and forms[name](item) for name, item in value.items())
    )


def _keymap(value: Any, depth: int = 0) -> bool:
    if isinstance(value, dict):
        return depth < 3 and all(_keymap(item, depth + 1) for item in value.values())
    return _text(value) or _texts(value)


_HABITS: Final[dict[str, Form]] = {
    "model_reasoning_effort": _word,
    "plan_mode_reasoning_effort": _word,
    "model_reasoning_summary": _one_of(*_SUMMARIES),
    "model_verbosity": _one_of(*_WORDS),
    "personality": _word,
    "developer_instructions": _text,
    "compact_prompt": _text,
    "tool_output_token_limit": _count,
    "background_terminal_max_timeout": _count,
    "allow_login_shell": _flag,
    "hide_agent_reasoning": _flag,
    "show_raw_agent_reasoning": _flag,
}
"""kept in every mode"""

_TERMINAL: Final[dict[str, Form]] = {
    "approval_policy": _one_of(*_APPROVALS),
    "sandbox_mode": _one_of(*_SANDBOXES),
    "sandbox_workspace_write": _object(
        writable_roots=_texts, network_access=_flag, exclude_tmpdir_env_var=_flag, exclude_slash_tmp=_flag
    ),
    "file_opener": _one_of(*_OPENERS),
    "disable_paste_burst": _flag,
    "history": _object(persistence=_one_of("save-all", "none"), max_bytes=_count),
}
"""kept where a person sits before it; a driven session is asked for by moor's own rules"""

_TUI: Final[dict[str, Form]] = {
    "theme": _text,
    "keymap": _keymap,
    "animations": _flag,
    "alternate_screen": _one_of("auto", "always", "never"),
    "notifications": lambda value: _flag(value) or _texts(value),
    "notification_method": _one_of("auto", "osc9", "bel"),
    "status_line": _texts,
    "terminal_title": _texts,
    "vim_mode_default": _flag,
    "raw_output_mode": _flag,
}
_NAMED_ONE_BY_ONE: Final = ("mcp_servers", "model_providers", "profiles", "plugins")


class Sifted:
    """What was kept of one config, and what was not."""

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}
        self.left_out: list[LeftOut] = []

    def take(self, config: dict[str, Any], where: str, *, terminal: bool, handled: frozenset[str]) -> None:
        """The keys of one file; `handled`: names that the caller takes itself."""
        for name, value in config.items():
            if name == "tui" and isinstance(value, dict):
                self._tui(value, where, keep=terminal)
            elif name not in handled:
                self._one(name, value, where, terminal=terminal)

    def leave(self, what: str, where: str, why: str) -> None:
        """Name something that is not passed on."""
        item = LeftOut(what, where, why)
        if item not in self.left_out:
            self.left_out.append(item)

    def _one(self, name: str, value: Any, where: str, *, terminal: bool) -> None:
        form = _HABITS.get(name) or _TERMINAL.get(name)
        if form is None:
            for what in names(name, value):
                self.leave(what, where, why_left(name))
        elif not form(value):
            self.leave(name, where, WRONG)
        elif terminal or name in _HABITS:
            self.settings[name] = value

    def _tui(self, given: dict[str, Any], where: str, *, keep: bool) -> None:
        kept: dict[str, Any] = {}
        for name, value in given.items():
            form = _TUI.get(name)
            if form is None:
                self.leave(f"tui.{name}", where, DECIDED)
            elif not form(value):
                self.leave(f"tui.{name}", where, WRONG)
            else:
                kept[name] = value
        if kept and keep:
            self.settings["tui"] = {**self.settings.get("tui", {}), **kept}


def names(name: str, value: Any) -> list[str]:
    """Entries are named one by one where there are some: `mcp_servers.tools`."""
    if name in _NAMED_ONE_BY_ONE and isinstance(value, dict) and value:
        return [f"{name}.{key}" for key in list(value)[:20]]
    return [name]


def why_left(name: str) -> str:
    """Why a key is not passed on."""
    return _LEFT.get(name, DECIDED)


def is_habit(dotted: str) -> bool:
    """Whether `-c KEY=…` may set that key for one launch."""
    first, _, rest = dotted.partition(".")
    if first == "tui":
        return rest.partition(".")[0] in _TUI
    return first in _HABITS or first in _TERMINAL
