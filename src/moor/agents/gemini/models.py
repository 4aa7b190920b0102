"""Gemini CLI's tables of models, filled with those of the session: names it knows lead to models that may be called.

It has names of its own for everything (`pro`, `flash`, `gemini-3-pro-preview`, `chat-compression-default`, …) and
calls models by them beside the conversation: to compress it, to look for loops, to mend an edit, in sub-agents.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from moor.agents.base import LaunchContext
from moor.domain.models import Model

PRO: Final = "pro"
FLASH: Final = "flash"
LITE: Final = "flash-lite"
NAMES: Final = {
    **dict.fromkeys(("auto", "auto-gemini-3", "auto-gemini-2.5"), PRO),
    **dict.fromkeys((PRO, "gemini-3-pro-preview", "gemini-3.1-pro-preview", "gemini-2.5-pro"), PRO),
    "gemini-3.1-pro-preview-customtools": PRO,
    **dict.fromkeys((FLASH, "gemini-3-flash-preview", "gemini-3.5-flash", "gemini-3.8-flash"), FLASH),
    "gemini-2.5-flash": FLASH,
    **dict.fromkeys((LITE, "gemini-3.1-flash-lite", "gemini-3.1-flash-lite-preview"), LITE),
    **dict.fromkeys(("gemini-3.5-flash-lite", "gemini-2.5-flash-lite"), LITE),
    **dict.fromkeys(("gemma-4-31b-it", "gemma-4-26b-a4b-it"), FLASH),
}
"""its own names of models to the slot that answers for them"""
ALIASES: Final = ("auto", PRO, FLASH, LITE)
"""those that a person types"""

_COMPRESSION: Final = tuple(
    f"chat-compression-{kind}"
    for kind in ("3-pro", "3-flash", "3.1-flash-lite", "2.5-pro", "2.5-flash", "2.5-flash-lite", "default")
)
_MAIN_CALLS: Final = (*_COMPRESSION, "loop-detection-double-check")
_SIDE_CALLS: Final = (
    *("classifier", "prompt-completion", "fast-ack-helper", "edit-corrector", "summarizer-default"),
    *("summarizer-shell", "web-search", "web-fetch", "web-fetch-fallback", "loop-detection", "llm-edit-fixer"),
    *("next-speaker-checker", "context-snapshotter", "agent-history-provider-summarizer"),
    *("gemini-2.5-flash-base", "gemini-3-flash-base", "gemini-3.5-flash-base"),
)
_BUDGETS: Final = {"low": 1024, "medium": 8192, "high": 24576}
_ITS_WINDOW: Final = 1_048_576
"""context window that it takes every model to have"""
_COMPRESS_AT: Final = 0.5


def slots(context: LaunchContext) -> dict[str, Model]:
    """The model of each slot."""
    chosen = context.slots
    flash = chosen.get(FLASH, context.small_model)
    return {PRO: chosen.get(PRO, context.model), FLASH: flash, LITE: chosen.get(LITE, flash)}


def tables(context: LaunchContext) -> dict[str, Any]:
    """`modelConfigs` of the settings."""
    of_slot = {slot: model.id for slot, model in slots(context).items()}
    ours = {model.id: _definition(model, of_slot) for model in context.models}
    hidden = {name: {"isVisible": False} for name in NAMES if name not in ours}
    return {
        "modelDefinitions": {**hidden, **ours},
        "modelIdResolutions": _resolutions(of_slot, ours),
        "classifierIdResolutions": {slot: {"default": of_slot[slot], "contexts": []} for slot in (PRO, FLASH)},
        "customAliases": {
            **{name: _alias(of_slot[PRO]) for name in _MAIN_CALLS},
            **{name: _alias(of_slot[FLASH]) for name in _SIDE_CALLS},
        },
        "customOverrides": _overrides(context),
    }


def _resolutions(of_slot: dict[str, str], ours: Iterable[str]) -> dict[str, Any]:
    """The model that each name leads to: its own names by slot, the names of ours to themselves."""
    by_slot = {name: {"default": of_slot[slot], "contexts": []} for name, slot in NAMES.items()}
    return {**by_slot, **{name: {"default": name} for name in ours}}


def compression_threshold(model: Model) -> float | None:
    """Part of the window it believes in at which it compresses; None where its own choice is right."""
    if model.context is None or model.context >= _ITS_WINDOW:
        return None
    return round(_COMPRESS_AT * model.context / _ITS_WINDOW, 4)


def _definition(model: Model, of_slot: dict[str, str]) -> dict[str, Any]:
    tier = PRO if model.id == of_slot[PRO] else FLASH
    return {
        "displayName": model.id,
        "tier": tier,
        "family": _family(model),
        "isPreview": False,
        "isVisible": True,
        "features": {"thinking": model.reasoning, "multimodalToolUse": False},
    }


def _family(model: Model) -> str:
    return "gemini-2.5" if "2-5" in model.id or "2.5" in model.id else "gemini-3"


def _alias(model_id: str) -> dict[str, Any]:
    return {"extends": "base", "modelConfig": {"model": model_id}}


def _overrides(context: LaunchContext) -> list[dict[str, Any]]:
    """What is asked of a model beside its name: effort, and the largest answer it accepts."""
    out = []
    for model in context.models:
        config: dict[str, Any] = {}
        if model.max_output is not None:
            config["maxOutputTokens"] = model.max_output
        if context.effort and model.id == context.model.id:
            config["thinkingConfig"] = _thinking(model, context.effort)
        if config:
            out.append({"match": {"model": model.id}, "modelConfig": {"generateContentConfig": config}})
    return out


def _thinking(model: Model, effort: str) -> dict[str, Any]:
    """2.5 counts tokens, 3 has levels; a number is a budget."""
    shown = {"includeThoughts": True}
    if effort.isdigit():
        return {**shown, "thinkingBudget": int(effort)}
    if _family(model) == "gemini-2.5" and effort in _BUDGETS:
        return {**shown, "thinkingBudget": _BUDGETS[effort]}
    return {**shown, "thinkingLevel": effort.upper()}
