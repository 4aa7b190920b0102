"""The models of a session in Codex's own catalogue form, so that it assumes nothing about them (facts/codex 3).

Chosen so that Codex sends plain function tools, apply_patch and nothing that a provider would have to run; without a
catalogue it knows no model of a workspace, warns in every conversation and assumes a window of 272,000 tokens.
"""

from __future__ import annotations

from typing import Any, Final

from moor.domain.models import Model

EFFORTS: Final = ("low", "medium", "high")
_EFFORT_WORDS: Final = {
    "low": "Less thinking, quicker answers",
    "medium": "Between the two",
    "high": "More thinking, for hard problems",
}
_CONTEXT: Final = 128_000
"""assumed where the upstream does not say; Codex demands a number and compacts by it"""
_OUTPUT: Final = 8_192
_FULLEST: Final = 95
"""percent of the window that Codex itself would fill at most"""
_OUTPUT_TOKENS_OF_A_TOOL: Final = 10_000


def catalogue(models: tuple[Model, ...], prompt: str, effort: str = "") -> dict[str, Any]:
    """The whole file. `prompt`: base instructions of each; `effort`: a level beyond the usual ones, offered too."""
    return {"models": [_entry(model, place, prompt, effort) for place, model in enumerate(models)]}


def fullest_percent(model: Model) -> int:
    """How much of the window may be filled, so that the longest answer still fits; never below half of it."""
    context = model.context or _CONTEXT
    answer = min(model.max_output or _OUTPUT, context // 2)
    return min(_FULLEST, 100 * (context - answer) // context)


def _entry(model: Model, place: int, prompt: str, effort: str) -> dict[str, Any]:
    context = model.context or _CONTEXT
    # listings of workspaces do not say it; every GPT that is served in this dialect does
    reasons = model.reasoning or model.family.startswith("gpt")
    return {
        "slug": model.id,
        "display_name": model.display_name or model.id,
        "description": "",
        "default_reasoning_level": "medium" if reasons else None,
        "supported_reasoning_levels": _levels(effort) if reasons else [],
        "shell_type": "unified_exec",
        "visibility": "list",
        "supported_in_api": True,
        "priority": place,
        "base_instructions": prompt,
        "supports_reasoning_summaries": reasons,
        "support_verbosity": False,
        "apply_patch_tool_type": "freeform",
        "truncation_policy": {"mode": "tokens", "limit": _OUTPUT_TOKENS_OF_A_TOOL},
        "supports_parallel_tool_calls": True,
        "context_window": context,
        "max_context_window": context,
        "effective_context_window_percent": fullest_percent(model),
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"] if model.attachment else ["text"],
        "supports_search_tool": False,
    }


def _levels(effort: str) -> list[dict[str, str]]:
    names = [*EFFORTS, *([effort] if effort and effort not in EFFORTS else [])]
    return [{"effort": name, "description": _EFFORT_WORDS.get(name, name)} for name in names]
