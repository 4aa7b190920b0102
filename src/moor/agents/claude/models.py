"""Claude Code's own names of models to ours: every alias it knows leads to a model that may be called."""

from __future__ import annotations

from typing import Final

from moor.agents.base import LaunchContext
from moor.domain.models import Model
from moor.domain.pick import version_of

OPUS: Final = "opus"
SONNET: Final = "sonnet"
HAIKU: Final = "haiku"
FABLE: Final = "fable"
FAMILIES: Final = (OPUS, SONNET, HAIKU, FABLE)
SUBAGENT: Final = "subagent"
"""slot of `[agents.claude.slots]` for every sub-agent; empty: a sub-agent takes its own or the main one"""
ALIASES: Final = ("default", "best", "opusplan", *FAMILIES)
LONG: Final = "[1m]"
"""suffix of a model with a window of a million tokens; Claude Code takes it off before it sends the name"""
_LONG_TOKENS: Final = 1_000_000
_MAX_OUTPUT: Final = 64_000
"""what Claude Code asks for at the most by itself"""


def families(context: LaunchContext) -> dict[str, Model]:
    """A model for each of Claude Code's families: the user's slot, else the newest of that name, else the main one.

    The family `haiku` does the side work (titles, summaries of web pages), so it is the small model.
    """
    out = {family: _newest(context.models, family) or context.model for family in FAMILIES}
    out[HAIKU] = context.small_model
    if _family_of(context.model) in FAMILIES:
        out[_family_of(context.model)] = context.model
    out.update({name: model for name, model in context.slots.items() if name in FAMILIES})
    return out


def wire_name(model: Model) -> str:
    """The name to start it with: a long window is asked for by a suffix."""
    return model.id + (LONG if (model.context or 0) >= _LONG_TOKENS else "")


def further(context: LaunchContext) -> list[Model]:
    """The allowed models that no family stands for."""
    known = {model.id for model in families(context).values()}
    return [model for model in context.models if model.id not in known]


def variables(context: LaunchContext) -> dict[str, str]:
    """The environment that names models, windows and output limits (facts, 4)."""
    env = {"ANTHROPIC_MODEL": wire_name(context.model), "ANTHROPIC_SMALL_FAST_MODEL": context.small_model.id}
    for family, model in families(context).items():
        env[f"ANTHROPIC_DEFAULT_{family.upper()}_MODEL"] = wire_name(model)
        env[f"ANTHROPIC_DEFAULT_{family.upper()}_MODEL_NAME"] = model.display_name or model.id
    if SUBAGENT in context.slots:
        env["CLAUDE_CODE_SUBAGENT_MODEL"] = wire_name(context.slots[SUBAGENT])
    window, limit = context.model.context, context.model.max_output
    if window:
        # the first counts for names that it does not know, the second for all; it takes the smaller
        env["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] = str(window)
        env["CLAUDE_CODE_AUTO_COMPACT_WINDOW"] = str(window)
    if not any(wire_name(model).endswith(LONG) for model in (context.model, *context.models)):
        env["CLAUDE_CODE_DISABLE_1M_CONTEXT"] = "1"  # its own default would be such a variant
    if limit:
        env["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] = str(min(limit, _MAX_OUTPUT))
    return env


def resolved(name: str, models: tuple[Model, ...], by_family: dict[str, Model] | None = None) -> str | None:
    """The name to hand over for one that was written; None where it is not allowed.

    Aliases stay as they are: they lead to allowed models. A long window is given only to models that have it.
    """
    long = name.lower().endswith(LONG)
    bare = name[: -len(LONG)] if long else name
    if bare in ALIASES:
        model = (by_family or {}).get(bare)
        return bare if not long or (model is not None and wire_name(model).endswith(LONG)) else None
    found = next((model for model in models if model.id == bare), None)
    if found is None or (long and not wire_name(found).endswith(LONG)):
        return None
    return wire_name(found)


def _newest(models: tuple[Model, ...], word: str) -> Model | None:
    named = [model for model in models if word in model.id and model.ready is not False]
    return max(named, key=lambda model: version_of(model.id), default=None)


def _family_of(model: Model) -> str:
    return next((family for family in FAMILIES if family in model.id), "")
