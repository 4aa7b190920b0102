"""What the names in a description's templates stand for, at one launch."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.template import MODELS, NODE, render

if TYPE_CHECKING:
    from moor.agents.base import LaunchContext
    from moor.domain.models import Model
    from moor.domain.settings import AgentSettings

CONTEXT: Final = 128_000
"""tokens; told where the upstream does not say, an output never above half of the window"""
OUTPUT: Final = 8_192
_PATHS: Final = {
    ANTHROPIC_MESSAGES: "/anthropic",
    OPENAI_CHAT: "/openai/v1",
    OPENAI_RESPONSES: "/openai/v1",
    GEMINI_GENERATE: "/gemini",
}

Values = Mapping[str, str]


def launch_values(group: AgentSettings, context: LaunchContext) -> dict[str, str]:
    """All names but those of the install and {prompt}; the key is among them."""
    gateway = context.gateway_url
    values = {
        "gateway": gateway,
        "anthropic_url": gateway + _PATHS[ANTHROPIC_MESSAGES],
        "openai_url": gateway + _PATHS[OPENAI_CHAT],
        "gemini_url": gateway + _PATHS[GEMINI_GENERATE],
        "key": context.key.reveal(),
        "small_model": context.small_model.id,
        "small_model_name": model_values(group, context.small_model, gateway)["model_name"],
        "effort": context.effort,
        "session": context.session.id,
        "home": str(context.home),
        "session_home": str(context.session_home),
        "user_home": str(context.user_home),
        "cwd": context.session.cwd,
        NODE: "",
        "install": "",
    }
    entries = [
        render(group.model_entry, model_values(group, model, gateway), quoting(".json")) for model in context.models
    ]
    return {**values, **model_values(group, context.model, gateway), MODELS: ", ".join(entries)}


def model_values(group: AgentSettings, model: Model, gateway: str) -> dict[str, str]:
    """The names that tell of one model, and the description's own names for its dialect."""
    dialect = spoken(group, model)
    words = group.by_dialect.get(dialect, {})
    base = {"gateway": gateway}
    base |= {
        "anthropic_url": gateway + _PATHS[ANTHROPIC_MESSAGES],
        "openai_url": gateway + _PATHS[OPENAI_CHAT],
        "gemini_url": gateway + _PATHS[GEMINI_GENERATE],
    }
    context = model.context or CONTEXT
    output = min(model.max_output or OUTPUT, context // 2)
    own = {word: render(text, base) for word, text in words.items()}
    return {
        **own,
        "model": model.id,
        "model_name": render(group.model_name or "{model}", {**own, "model": model.id}),
        "context": str(context),
        "max_output": str(output),
        "max_prompt": str(context - output),
        "dialect": dialect,
        "url": gateway + _PATHS[dialect],
    }


def spoken(group: AgentSettings, model: Model) -> str:
    """The dialect in which the agent speaks to the model: the upstream's best that it knows."""
    return next((dialect for dialect in model.dialects if dialect in group.dialects), group.dialects[0])


def quoting(path: str) -> Callable[[str], str]:
    """How a value is written in a file of that kind: inside double quotes, or as one word of a shell."""
    suffix = PurePath(path).suffix.lower()
    if suffix in (".json", ".jsonc", ".toml", ".yaml", ".yml", ".js", ".mjs", ".cjs", ".ts"):
        return lambda value: json.dumps(value, ensure_ascii=False)[1:-1]
    if suffix in (".sh", ".bash"):
        return shlex.quote
    return str
