"""What the strict gateway refuses inside messages: roles, blocks, and calls without their results."""

from __future__ import annotations

from typing import Final

from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.dialects.face import Rules, objects, only_keys, required, words
from moor.sim.messages import Json

BLANK: Final = "messages: text content blocks must be non-empty"
_MARKS: Final = 4
_BLOCKS: Final[dict[str, frozenset[str]]] = {
    "text": words("type text cache_control citations"),
    "image": words("type source cache_control"),
    "document": words("type source cache_control title context citations"),
    "tool_use": words("type id name input cache_control"),
    "tool_result": words("type tool_use_id content is_error cache_control"),
    "thinking": words("type thinking signature"),
    "redacted_thinking": words("type data"),
}
_REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source",),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id",),
    "thinking": ("thinking", "signature"),
    "redacted_thinking": ("data",),
}
_ROLES_OF: Final = {"tool_use": "assistant", "thinking": "assistant", "tool_result": "user", "image": "user"}


def check_messages(messages: list[Json], rules: Rules) -> None:
    """Each message, then the pairing of calls and results. Raises SimRefusal."""
    if not messages:
        raise SimRefusal(400, "messages: at least one message is required")
    for place, message in enumerate(messages):
        _check_message(message, place, place == len(messages) - 1, rules)
    _check_marks(messages)
    _check_pairs(messages)


def _check_message(message: Json, place: int, last: bool, rules: Rules) -> None:
    where = f"messages.{place}"
    role = required(message, "role", where)
    if role == "system" and rules.switches[switches.SYSTEM_ROLE]:
        return
    if role == "system":
        raise SimRefusal(
            400,
            'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter, '
            'not "system" as an input message role.',
        )
    if role not in ("user", "assistant"):
        raise SimRefusal(400, f"{where}.role: Input should be 'user' or 'assistant'")
    only_keys(message, frozenset({"role", "content"}), where)
    content = required(message, "content", where)
    if isinstance(content, str):
        if not content.strip():
            raise SimRefusal(400, BLANK)
        return
    blocks = objects(content, f"{where}.content")
    if not blocks and not (last and role == "assistant"):
        raise SimRefusal(
            400, f"{where}: all messages must have non-empty content except for the optional final assistant message"
        )
    for number, block in enumerate(blocks):
        _check_block(block, f"{where}.content.{number}", str(role))


def _check_block(block: Json, where: str, role: str) -> None:
    kind = required(block, "type", where)
    if kind not in _BLOCKS:
        expected = ", ".join(f"'{name}'" for name in sorted(_BLOCKS))
        raise SimRefusal(
            400, f"{where}: Input tag '{kind}' found using 'type' does not match any of the expected tags: {expected}"
        )
    only_keys(block, _BLOCKS[kind], f"{where}.{kind}")
    for key in _REQUIRED[kind]:
        required(block, key, f"{where}.{kind}")
    if _ROLES_OF.get(kind, role) != role:
        raise SimRefusal(400, f"{where}: `{kind}` blocks are not allowed in `{role}` messages")
    check_cache_control(block, f"{where}.{kind}")
    if kind == "text":
        check_text_blocks([block], where)
    if kind == "tool_use" and not isinstance(block["input"], dict):
        raise SimRefusal(400, f"{where}.tool_use.input: Input should be a valid dictionary")
    if kind == "tool_result" and isinstance(block.get("content"), list):
        for number, inner in enumerate(objects(block["content"], f"{where}.tool_result.content")):
            _check_block(inner, f"{where}.tool_result.content.{number}", role)


def check_text_blocks(blocks: list[Json], where: str) -> None:
    """Text blocks must hold something but blanks (databricks 2.7 row 1)."""
    for block in blocks:
        if not isinstance(block.get("text"), str):
            raise SimRefusal(400, f"{where}.text.text: Input should be a valid string")
        if not block["text"].strip():
            raise SimRefusal(
                400, BLANK if where.startswith("messages") else f"{where}: text content blocks must be non-empty"
            )
        check_cache_control(block, where)


def check_cache_control(block: Json, where: str) -> None:
    """Only the ephemeral form, for five minutes or an hour (databricks 2.7 row 8)."""
    mark = block.get("cache_control")
    if mark is None:
        return
    if not isinstance(mark, dict) or mark.get("type") != "ephemeral":
        raise SimRefusal(400, f"{where}.cache_control: Input should be an object of type 'ephemeral'")
    only_keys(mark, frozenset({"type", "ttl"}), f"{where}.cache_control.ephemeral")
    if mark.get("ttl", "5m") not in ("5m", "1h"):
        raise SimRefusal(400, f"{where}.cache_control.ephemeral.ttl: Input should be '5m' or '1h'")


def check_no_ttl(body: Json) -> None:
    """No mark says for how long a cache is kept, where the backend knows five minutes only."""
    for key in ("tools", "system", "messages"):
        items = body.get(key)
        for place, item in enumerate(items if isinstance(items, list) else []):
            _check_no_ttl(item, f"{key}.{place}")
            for number, block in enumerate(_blocks(item)):
                _check_no_ttl(block, f"{key}.{place}.content.{number}")
                for inner, one in enumerate(_blocks(block)):
                    _check_no_ttl(one, f"{key}.{place}.content.{number}.{inner}")


def _check_no_ttl(block: Json, where: str) -> None:
    mark = block.get("cache_control")
    if isinstance(mark, dict) and "ttl" in mark:
        raise SimRefusal(400, f"{where}.cache_control.ephemeral.ttl: Extra inputs are not permitted")


def _check_marks(messages: list[Json]) -> None:
    marks = sum("cache_control" in block for message in messages for block in _blocks(message))
    if marks > _MARKS:
        raise SimRefusal(400, f"A maximum of {_MARKS} blocks with cache_control may be provided. Found {marks}.")


def _check_pairs(messages: list[Json]) -> None:
    """Each call is answered in the next message, each answer has its call in the one before (row 2)."""
    for place, message in enumerate(messages):
        before = _ids(messages[place - 1], "tool_use", "id") if place else []
        for number, block in enumerate(_blocks(message)):
            if block.get("type") == "tool_result" and block["tool_use_id"] not in before:
                raise SimRefusal(
                    400,
                    f"messages.{place}.content.{number}: unexpected `tool_use_id` found in `tool_result` blocks: "
                    f"{block['tool_use_id']}. Each `tool_result` block must have a corresponding `tool_use` block "
                    "in the previous message.",
                )
        answered = _ids(message, "tool_result", "tool_use_id")
        if twice := next((call for call in answered if answered.count(call) > 1), ""):
            raise SimRefusal(
                400,
                f"messages.{place}.content: each tool_use must have a single result. Found multiple `tool_result` "
                f"blocks with id: {twice}",
            )
        calls = _ids(message, "tool_use", "id")
        if len(set(calls)) != len(calls):
            raise SimRefusal(400, f"messages.{place}.content: `tool_use` ids must be unique")
        after = _ids(messages[place + 1], "tool_result", "tool_use_id") if place + 1 < len(messages) else []
        missing = [call for call in calls if call not in after]
        if missing:
            raise SimRefusal(
                400,
                f"messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately after: "
                f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block "
                "in the next message.",
            )


def _blocks(message: Json) -> list[Json]:
    content = message.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _ids(message: Json, kind: str, key: str) -> list[str]:
    return [str(block[key]) for block in _blocks(message) if block.get("type") == kind]
