"""A list of models with what is to be known of each, in the form that Codex reads (facts/codex 3).

Without it Codex knows no model of a workspace, warns in every conversation and assumes a window of 272,000 tokens.
The entries are chosen so that it sends plain function tools, apply_patch and nothing that a provider would have to
run. The form was tried on 0.169.0, as a file and as the answer to `GET …/models?client_version=…`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from moor.domain.dialects import OPENAI_RESPONSES
from moor.wire.listing import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from moor.domain.models import Model

PROMPT: Final = (
    "You are Codex, a coding agent that works in a terminal, in the user's folder. Look before you change anything, "
    "keep changes small and in the style of what is there, run the tests that cover them, and say in the end what "
    "you did and what is left. Edit files with apply_patch where it is offered."
)
"""base instructions where the program's own are not at hand"""
_EFFORTS: Final = {
    "low": "Less thinking, quicker answers",
    "medium": "Between the two",
    "high": "More thinking, for hard problems",
}
_CONTEXT: Final = 128_000
"""assumed where the upstream does not say; the form demands a number, by which conversations are compacted"""
_OUTPUT: Final = 8_192
_FULLEST: Final = 95
"""percent of the window that would be filled at most"""
_TOOL_OUTPUT: Final = 10_000
"""tokens of a tool's output that reach the model"""


def catalogue_body(models: Iterable[Model]) -> bytes:
    """The answer to a client that asks for this form: the models it can call."""
    return msgspec.json.encode(catalogue(listed(OPENAI_RESPONSES, models)))


def catalogue(models: Iterable[Model], prompt: str = PROMPT, effort: str = "") -> dict[str, Any]:
    """The whole list. `prompt`: base instructions of each; `effort`: a level beyond the usual ones, offered too."""
    return {"models": [_entry(model, place, prompt, effort) for place, model in enumerate(models)]}


def fullest_percent(model: Model) -> int:
    """How much of the window may be filled, so that the longest answer still fits; never below half of it."""
    context = model.context or _CONTEXT
    answer = min(model.max_output or _OUTPUT, context // 2)
    return min(_FULLEST, 100 * (context - answer) // context)


def _entry(model: Model, place: int, prompt: str, effort: str) -> dict[str, Any]:
    context = model.context or _CONTEXT
    # listings of workspaces do not say it; every GPT that is served in this dialect does
    thinks = model.reasoning or model.family.startswith("gpt")
    return {
        "slug": model.id,
        "display_name": model.display_name or model.id,
        "description": "",
        "default_reasoning_level": "medium" if thinks else None,
        "supported_reasoning_levels": _levels(effort) if thinks else [],
        "shell_type": "unified_exec",
        "visibility": "list",
        "supported_in_api": True,
        "priority": place,
        "base_instructions": prompt,
        "supports_reasoning_summaries": thinks,
        "support_verbosity": False,
        "apply_patch_tool_type": "freeform",
        "truncation_policy": {"mode": "tokens", "limit": _TOOL_OUTPUT},
        "supports_parallel_tool_calls": True,
        "context_window": context,
        "max_context_window": context,
        "effective_context_window_percent": fullest_percent(model),
        "experimental_supported_tools": [],
        "input_modalities": ["text", "image"] if model.attachment else ["text"],
        "supports_search_tool": False,
    }


def _levels(effort: str) -> list[dict[str, str]]:
    names = [*_EFFORTS, *([effort] if effort and effort not in _EFFORTS else [])]
    return [{"effort": name, "description": _EFFORTS.get(name, name)} for name in names]
