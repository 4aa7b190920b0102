"""What the strict gateway refuses inside chat messages."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.catalogue.models import CLAUDE
from moor.sim.dialects.anthropic.blocks import BLANK
from moor.sim.dialects.face import Rules, extra, objects, only_keys, required, words
from moor.sim.messages import Json

_KEYS: Final = {
    "system": words("role content name"),
    "developer": words("role content name"),
    "user": words("role content name"),
    "assistant": words("role content name tool_calls refusal reasoning_content"),
    "tool": words("role content tool_call_id name"),
}
_PARTS: Final = ("text", "image_url", "reasoning")


def check_messages(messages: list[Json], rules: Rules) -> None:
    """Each message, then the order of calls and results. Raises SimRefusal."""
    if not messages:
        raise SimRefusal(400, "messages: List should have at least 1 item")
    for place, message in enumerate(messages):
        _check_message(message, f"messages.{place}", rules)
    _check_order(messages, rules)


def _check_message(message: Json, where: str, rules: Rules) -> None:
    role = required(message, "role", where)
    if role not in _KEYS:
        raise SimRefusal(400, f"{where}.role: Input should be {', '.join(repr(name) for name in _KEYS)}")
    only_keys(message, _KEYS[role], where)
    thinks_in_blocks = rules.card.list_content or rules.card.family == CLAUDE
    if "reasoning_content" in message and thinks_in_blocks and not rules.switches[switches.REASONING_CONTENT]:
        raise extra(f"{where}.reasoning_content")
    calls = objects(message.get("tool_calls") or [], f"{where}.tool_calls")
    content = message.get("content")
    if content is None and not calls:
        raise SimRefusal(400, f"{where}.content: Field required")
    _check_content(content, where, rules)
    for place, call in enumerate(calls):
        _check_call(call, f"{where}.tool_calls.{place}")
    if len(calls) > 1 and not rules.card.parallel_calls:
        raise SimRefusal(400, "Multiple tool calls are not supported.")
    if role == "tool":
        required(message, "tool_call_id", where)


def _check_content(content: Any, where: str, rules: Rules) -> None:
    claude = rules.card.family == CLAUDE
    if isinstance(content, str):
        if claude and not content.strip():
            raise SimRefusal(400, BLANK)
        return
    if content is None:
        return
    for place, part in enumerate(objects(content, f"{where}.content")):
        kind = part.get("type")
        if kind not in _PARTS:
            raise SimRefusal(400, f"{where}.content.{place}.type: Input should be 'text' or 'image_url'")
        if kind == "text" and not isinstance(part.get("text"), str):
            raise SimRefusal(400, f"{where}.content.{place}.text: Input should be a valid string")
        if kind == "text" and claude and not part["text"].strip():
            raise SimRefusal(400, BLANK)
        if kind == "image_url" and claude and not _inline(part):
            raise SimRefusal(400, "Only base64 encoded images are supported for this model.")


def _inline(part: Json) -> bool:
    image = part.get("image_url")
    return isinstance(image, dict) and str(image.get("url", "")).startswith("data:")


def _check_call(call: Json, where: str) -> None:
    if call.get("type", "function") != "function" or not isinstance(call.get("id"), str):
        raise SimRefusal(400, f"{where}: Input should be a function call with an id")
    function = call.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), str):
        raise SimRefusal(400, f"{where}.function.arguments: Input should be a valid string")
    required(function, "name", f"{where}.function")
    try:
        msgspec.json.decode(function["arguments"] or "{}")
    except msgspec.DecodeError as problem:
        raise SimRefusal(400, f"{where}.function.arguments: Input should be JSON text") from problem


def _check_order(messages: list[Json], rules: Rules) -> None:
    """Results follow their call at once; each call has one and each one a call (row 2, and row 11 for gpt-oss)."""
    waiting: list[str] = []
    for place, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                raise SimRefusal(
                    400,
                    f"messages.{place}: messages with role 'tool' must be a response to a preceding message "
                    "with 'tool_calls'.",
                )
            waiting.remove(message["tool_call_id"])
            continue
        _none_waiting(waiting, rules)
        waiting = [call["id"] for call in message.get("tool_calls") or []]
    _none_waiting(waiting, rules)


def _none_waiting(waiting: list[str], rules: Rules) -> None:
    if not waiting:
        return
    ids = ", ".join(waiting)
    if rules.card.family == CLAUDE:
        raise SimRefusal(
            400, f"messages: `tool_use` ids were found without `tool_result` blocks immediately after: {ids}."
        )
    raise SimRefusal(
        400,
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {ids}",
    )
