"""What the strict gateway refuses on the chat route (facts/databricks 2.7 rows 1, 3, 4, 9, 10, 11, 12, 17)."""

from __future__ import annotations

from typing import Final

from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.catalogue.models import CLAUDE, GEMINI
from moor.sim.dialects.chat.messages import check_messages
from moor.sim.dialects.chat.shape import Body
from moor.sim.dialects.face import (
    Rules,
    check_cap,
    check_gemini_schema,
    check_shape,
    extra,
    objects,
    only_keys,
    required,
    words,
)
from moor.sim.messages import Json

_KEYS: Final = words(
    "model messages max_tokens max_completion_tokens temperature top_p top_k stop n stream stream_options tools"
    " tool_choice parallel_tool_calls response_format reasoning_effort thinking logprobs top_logprobs"
    " frequency_penalty presence_penalty seed user usage_context client_request_id"
)
_CHOICES: Final = ("auto", "none", "required")


def check(body: Json, rules: Rules) -> None:
    """Refuse what the gateway refuses. Raises SimRefusal."""
    check_shape(body, Body)
    if not rules.switches[switches.UNKNOWN_KEYS]:
        only_keys(body, _KEYS, "")
    _check_family(body, rules)
    for key in ("max_tokens", "max_completion_tokens"):
        if body.get(key) is not None:
            check_cap(body[key], rules, key, switches.OUTPUT_CAPS)
    if body.get("temperature") is not None and not rules.card.temperature:
        raise SimRefusal(400, "temperature is not supported for this model.")
    _check_stream_options(body)
    _check_tools(body, rules)
    _check_choice(body)
    messages = objects(required(body, "messages"), "messages")
    check_messages(messages, rules)


def check_engine(body: Json, rules: Rules) -> None:
    """The little that a local engine refuses: wrong types, unknown roles, calls without results."""
    check_shape(body, Body)
    for place, tool in enumerate(body.get("tools") or []):
        required(required(tool, "function", f"tools.{place}"), "name", f"tools.{place}.function")
    check_messages(objects(required(body, "messages"), "messages"), rules)


def _check_family(body: Json, rules: Rules) -> None:
    if rules.card.family == GEMINI and "stream_options" in body:
        raise extra("stream_options")
    if rules.card.family == CLAUDE and body.get("reasoning_effort") is not None:
        raise SimRefusal(400, "reasoning_effort is not supported for this model. Use thinking instead.")


def _check_stream_options(body: Json) -> None:
    options = body.get("stream_options")
    if options is None:
        return
    if not body.get("stream"):
        raise SimRefusal(400, "stream_options is only allowed when stream is true")
    if not isinstance(options, dict):
        raise SimRefusal(400, "stream_options: Input should be a valid dictionary")
    only_keys(options, frozenset({"include_usage"}), "stream_options")


def _check_tools(body: Json, rules: Rules) -> None:
    for place, tool in enumerate(objects(body.get("tools", []), "tools")):
        where = f"tools.{place}"
        if tool.get("type") != "function":
            raise SimRefusal(400, f"{where}.type: Input should be 'function'")
        only_keys(tool, frozenset({"type", "function"}), where)
        function = required(tool, "function", where)
        if not isinstance(function, dict) or not isinstance(function.get("name"), str) or not function["name"]:
            raise SimRefusal(400, f"{where}.function.name: Field required")
        only_keys(function, frozenset({"name", "description", "parameters"}), f"{where}.function")
        schema = function.get("parameters", {})
        if not isinstance(schema, dict):
            raise SimRefusal(400, f"{where}.function.parameters: Input should be a valid dictionary")
        if rules.card.family == GEMINI:
            check_gemini_schema(schema, f"tools[0].function_declarations[{place}].parameters")


def _check_choice(body: Json) -> None:
    choice = body.get("tool_choice")
    if choice is None:
        return
    if not body.get("tools"):
        raise SimRefusal(400, "tool_choice is only allowed when tools are specified")
    named = isinstance(choice, dict) and isinstance(choice.get("function"), dict)
    if choice not in _CHOICES and not named:
        raise SimRefusal(400, "tool_choice: Input should be 'auto', 'none', 'required' or a named function")
