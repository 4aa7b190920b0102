"""What the strict gateway refuses on the Messages route: the body, its parameters and tools.

Facts/databricks 2.7 rows 1, 2, 7, 8, 12, 13, 17 and agents-on-a-strict-wire; wording of the provider's validator.
"""

from __future__ import annotations

import re
from typing import Final

from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.dialects.anthropic.blocks import check_cache_control, check_messages, check_no_ttl, check_text_blocks
from moor.sim.dialects.anthropic.shape import Body
from moor.sim.dialects.face import Rules, check_cap, check_shape, extra, is_int, objects, only_keys, required, words
from moor.sim.messages import Json

_KEYS: Final = words(
    "model max_tokens messages system metadata stop_sequences stream temperature top_p top_k tools tool_choice"
    " thinking"
)
_SWITCHED: Final = {
    "context_management": switches.CONTEXT_MANAGEMENT,
    "output_config": switches.OUTPUT_CONFIG,
}
KNOWN_BETAS: Final = frozenset(
    {
        "claude-code-20250219",
        "interleaved-thinking-2025-05-14",
        "fine-grained-tool-streaming-2025-05-14",
        "extended-cache-ttl-2025-04-11",
        "prompt-caching-2024-07-31",
        "context-1m-2025-08-07",
        "tool-search-tool-2025-10-19",
        "advanced-tool-use-2025-11-20",
        "token-efficient-tools-2025-02-19",
        "effort-2025-11-24",
    }
)
_TOOL_KEYS: Final = words("type name description input_schema cache_control")
_TOOL_TAGS: Final = ("custom", "bash_20250124", "text_editor_20250728", "memory_20250818")
_CHOICES: Final = ("auto", "any", "tool", "none")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")


def check(body: Json, rules: Rules) -> None:
    """Refuse what the gateway refuses. Raises SimRefusal."""
    check_shape(body, Body)
    _check_betas(rules)
    _check_keys(body, rules)
    check_cap(required(body, "max_tokens"), rules, "max_tokens", switches.OUTPUT_CAPS)
    check_thinking(body, rules)
    _check_sampling(body, rules)
    _check_tools(body)
    _check_choice(body)
    if "system" in body and not isinstance(body["system"], str):
        check_text_blocks(objects(body["system"], "system"), "system")
    check_messages(objects(required(body, "messages"), "messages"), rules)
    if not rules.switches[switches.CACHE_TTL]:
        check_no_ttl(body)


def _check_betas(rules: Rules) -> None:
    unknown = [beta for beta in rules.betas if beta not in KNOWN_BETAS]
    if unknown and not rules.switches[switches.UNKNOWN_BETAS]:
        named = ", ".join(f"`{beta}`" for beta in unknown)
        raise SimRefusal(400, f"Unexpected value(s) {named} for the `anthropic-beta` header.")


def _check_keys(body: Json, rules: Rules) -> None:
    for key in body:
        if key in _SWITCHED:
            if not rules.switches[_SWITCHED[key]]:
                raise extra(key)
        elif key not in _KEYS and not rules.switches[switches.UNKNOWN_KEYS]:
            raise extra(key)
    metadata = body.get("metadata")
    if metadata is not None:
        if not isinstance(metadata, dict):
            raise SimRefusal(400, "metadata: Input should be a valid dictionary")
        only_keys(metadata, frozenset({"user_id"}), "metadata")


def check_thinking(body: Json, rules: Rules) -> None:
    """The thinking parameter: enabled with a budget, disabled, or adaptive behind its switch."""
    thinking = body.get("thinking")
    if thinking is None:
        return
    kind = thinking.get("type") if isinstance(thinking, dict) else None
    adaptive = rules.switches[switches.ADAPTIVE_THINKING]
    if kind not in ("enabled", "disabled") and not (kind == "adaptive" and adaptive):
        tags = "'adaptive', 'disabled', 'enabled'" if adaptive else "'disabled', 'enabled'"
        raise SimRefusal(
            400, f"thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags: {tags}"
        )
    allowed = {"type", "budget_tokens"} if kind == "enabled" else {"type"}
    only_keys(thinking, frozenset(allowed), f"thinking.{kind}")
    if kind != "enabled":
        return
    budget = required(thinking, "budget_tokens", "thinking.enabled")
    if not is_int(budget) or budget < 1024:
        raise SimRefusal(400, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    if is_int(body.get("max_tokens")) and budget >= body["max_tokens"]:
        raise SimRefusal(400, "`max_tokens` must be greater than `thinking.budget_tokens`")


def _check_sampling(body: Json, rules: Rules) -> None:
    temperature = body.get("temperature")
    if temperature is None:
        return
    if not rules.card.temperature:
        raise SimRefusal(400, "`temperature` is not supported for this model.")
    if not 0 <= temperature <= 1:
        raise SimRefusal(400, "temperature: range: 0..1")


def _check_tools(body: Json) -> None:
    seen: set[str] = set()
    for place, tool in enumerate(objects(body.get("tools", []), "tools")):
        kind = tool.get("type", "custom")
        if kind != "custom":
            raise SimRefusal(
                400,
                f"tools.{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags: "
                f"{_listed(_TOOL_TAGS)}",
            )
        where = f"tools.{place}.custom"
        only_keys(tool, _TOOL_KEYS, where)
        name = required(tool, "name", where)
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise SimRefusal(400, f"{where}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if name in seen:
            raise SimRefusal(400, "tools: Tool names must be unique.")
        seen.add(name)
        schema = required(tool, "input_schema", where)
        if not isinstance(schema, dict) or schema.get("type") != "object":
            raise SimRefusal(400, f"{where}.input_schema.type: Input should be 'object'")
        check_cache_control(tool, where)


def _check_choice(body: Json) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not isinstance(choice, dict) or choice.get("type") not in _CHOICES:
        raise SimRefusal(400, f"tool_choice: Input should be an object with a type among {_listed(_CHOICES)}")
    if not body.get("tools"):
        raise SimRefusal(400, "tool_choice may only be specified while providing tools")
    only_keys(choice, frozenset({"type", "name", "disable_parallel_tool_use"}), f"tool_choice.{choice['type']}")
    if choice["type"] == "tool" and choice.get("name") not in [tool.get("name") for tool in body["tools"]]:
        raise SimRefusal(400, f"Tool '{choice.get('name')}' not found in provided tools")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"'{name}'" for name in names)
