"""What the strict gateway refuses on the Responses route.

Facts/agents-on-a-strict-wire; databricks 2.7 rows 12, 14, 17.
"""

from __future__ import annotations

from typing import Final

from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.dialects.face import Rules, check_cap, check_shape, extra, objects, only_keys, required, words
from moor.sim.dialects.responses.shape import Body
from moor.sim.messages import Json

_KEYS: Final = words(
    "model input instructions tools tool_choice parallel_tool_calls reasoning include store stream prompt_cache_key"
    " max_output_tokens temperature top_p text truncation metadata previous_response_id user safety_identifier"
    " prompt_cache_retention service_tier"
)
_ITEMS: Final[dict[str, tuple[str, ...]]] = {
    "message": ("role", "content"),
    "function_call": ("call_id", "name", "arguments"),
    "function_call_output": ("call_id", "output"),
    "custom_tool_call": ("call_id", "name", "input"),
    "custom_tool_call_output": ("call_id", "output"),
    "reasoning": (),
}
_ROLES: Final = ("user", "assistant", "system", "developer")
_CALLS: Final = ("function_call", "custom_tool_call")
_PARTS: Final = ("input_text", "output_text", "input_image", "input_file", "refusal")
_CHOICES: Final = ("auto", "none", "required")


def check(body: Json, rules: Rules) -> None:
    """Refuse what the gateway refuses. Raises SimRefusal."""
    check_shape(body, Body)
    _check_keys(body, rules)
    if body.get("max_output_tokens") is not None:
        check_cap(body["max_output_tokens"], rules, "max_output_tokens", switches.OUTPUT_CAPS)
    if body.get("temperature") is not None and not rules.card.temperature:
        raise SimRefusal(400, "Unsupported parameter: 'temperature' is not supported with this model.")
    if body.get("previous_response_id") is not None:
        raise SimRefusal(400, f"Previous response with id '{body['previous_response_id']}' not found.")
    _check_tools(body, rules)
    _check_choice(body.get("tool_choice"))
    given = required(body, "input")
    if not isinstance(given, str):
        _check_input(objects(given, "input"), rules)


def _check_keys(body: Json, rules: Rules) -> None:
    for key in body:
        if key == "client_metadata":
            if not rules.switches[switches.CLIENT_METADATA]:
                raise extra(key)
        elif key not in _KEYS and not rules.switches[switches.UNKNOWN_KEYS]:
            raise extra(key)


def _check_tools(body: Json, rules: Rules) -> None:
    for place, tool in enumerate(objects(body.get("tools", []), "tools")):
        kind = tool.get("type")
        where = f"tools[{place}]"
        if kind == "web_search" and rules.switches[switches.HOSTED_WEB_SEARCH]:
            continue
        if kind == "namespace" and rules.switches[switches.NAMESPACE_TOOLS]:
            continue
        if kind not in ("function", "custom"):
            raise SimRefusal(
                400, f"Invalid value: '{kind}'. Supported values of {where}.type are: 'function', 'custom'."
            )
        if not isinstance(tool.get("name"), str) or not tool["name"]:
            raise SimRefusal(400, f"Missing required parameter: '{where}.name'.")
        if kind == "function":
            only_keys(tool, frozenset({"type", "name", "description", "parameters", "strict"}), where)
            if not isinstance(tool.get("parameters", {}), dict):
                raise SimRefusal(400, f"Invalid type for '{where}.parameters': expected an object.")


def _check_choice(choice: object) -> None:
    if choice is not None and choice not in _CHOICES and not isinstance(choice, dict):
        raise SimRefusal(400, f"Invalid value: {choice!r}. Supported values are: 'none', 'auto', and 'required'.")


def _check_input(items: list[Json], rules: Rules) -> None:
    if not items:
        raise SimRefusal(400, "Invalid 'input': empty array. Expected an array with minimum length 1.")
    calls: list[str] = []
    results: list[str] = []
    for place, item in enumerate(items):
        kind = _check_item(item, place)
        if "namespace" in item and not rules.switches[switches.NAMESPACE_TOOLS]:
            raise SimRefusal(400, f"Unknown parameter: 'input[{place}].namespace'.")
        if kind in _CALLS:
            calls.append(item["call_id"])
        elif kind.endswith("_output"):
            results.append(item["call_id"])
            if item["call_id"] not in calls:
                raise SimRefusal(400, f"No tool call found for function call output with call_id {item['call_id']}.")
    missing = [call for call in calls if call not in results]
    if missing:
        raise SimRefusal(400, f"No tool output found for function call {missing[0]}.")


def _check_item(item: Json, place: int) -> str:
    kind = item.get("type", "message")
    if kind not in _ITEMS:
        raise SimRefusal(
            400, f"Invalid value: '{kind}'. Supported values of input[{place}].type are: {list(_ITEMS)}."
        )
    for key in _ITEMS[kind]:
        if key not in item:
            raise SimRefusal(400, f"Missing required parameter: 'input[{place}].{key}'.")
    if kind == "message":
        _check_message(item, place)
    return str(kind)


def _check_message(item: Json, place: int) -> None:
    if item["role"] not in _ROLES:
        raise SimRefusal(
            400, f"Invalid value: '{item['role']}'. Supported values of input[{place}].role are: {list(_ROLES)}."
        )
    if isinstance(item["content"], str):
        return
    for number, part in enumerate(objects(item["content"], f"input[{place}].content")):
        if part.get("type") not in _PARTS:
            raise SimRefusal(400, f"Invalid value: '{part.get('type')}' at input[{place}].content[{number}].type.")
