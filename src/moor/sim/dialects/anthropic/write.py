"""An answer in the Messages dialect, whole or as events (facts/databricks 2.10)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.dialects.anthropic.blocks import BLANK
from moor.sim.dialects.face import BROKEN, Voice, breaking, event, has_text, pieces, spoken
from moor.sim.messages import Answer, Chunk, Json, json_answer
from moor.sim.script.player import Turn

_TYPES = {404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error"}


def full(turn: Turn, voice: Voice) -> Json:
    """The message as one JSON object."""
    content: list[Json] = []
    if turn.think:
        content.append({"type": "thinking", "thinking": turn.think, "signature": _signature(turn.think)})
    if has_text(turn):
        content.append({"type": "text", "text": turn.say})
    content.extend(
        {"type": "tool_use", "id": _id(part.id), "name": part.call.name, "input": part.call.arguments}
        for part in turn.calls
    )
    return {**_head(voice), "content": content, "stop_reason": _stop(turn), "usage": _usage(voice, whole=True)}


def stream(turn: Turn, voice: Voice) -> Iterator[Chunk]:
    """The message as events."""
    start = {**_head(voice), "content": [], "stop_reason": None, "usage": _usage(voice, whole=False)}
    yield event({"type": "message_start", "message": start}, "message_start")
    yield event({"type": "ping"}, "ping")
    index = 0
    if turn.think:
        yield from _thinking(turn.think, index)
        index += 1
    if has_text(turn):
        yield _begin(index, {"type": "text", "text": ""})
        last = b""
        for piece in spoken(turn):
            last = _delta(index, {"type": "text_delta", "text": piece})
            yield last
        if turn.ending in BROKEN:
            overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded (simulated)"}}
            yield from breaking(turn, last, event(overloaded, "error"))
            return
        yield _end(index)
        index += 1
    for part in turn.calls:
        yield _begin(index, {"type": "tool_use", "id": _id(part.id), "name": part.call.name, "input": {}})
        for piece in pieces(msgspec.json.encode(part.call.arguments).decode()):
            yield _delta(index, {"type": "input_json_delta", "partial_json": piece})
        yield _end(index)
        index += 1
    delta = {"stop_reason": _stop(turn), "stop_sequence": None}
    usage = {"output_tokens": voice.usage.output}
    yield event({"type": "message_delta", "delta": delta, "usage": usage}, "message_delta")
    yield event({"type": "message_stop"}, "message_stop")


def refuse(refusal: SimRefusal, board: switches.Switchboard) -> Answer:
    """The plain form by default, the provider's behind its switch; blank text always in the recorded plain form."""
    if refusal.message == BLANK or not board[switches.PROVIDER_ERROR_FORM]:
        return json_answer({"message": refusal.message}, refusal.status)
    kind = _TYPES.get(refusal.status, "invalid_request_error")
    body = {"type": "error", "error": {"type": kind, "message": refusal.message}, "request_id": "req_simulated"}
    return json_answer(body, refusal.status)


def _thinking(text: str, index: int) -> Iterator[bytes]:
    yield _begin(index, {"type": "thinking", "thinking": "", "signature": ""})
    for piece in pieces(text):
        yield _delta(index, {"type": "thinking_delta", "thinking": piece})
    yield _delta(index, {"type": "signature_delta", "signature": _signature(text)})
    yield _end(index)


def _begin(index: int, block: Json) -> bytes:
    return event({"type": "content_block_start", "index": index, "content_block": block}, "content_block_start")


def _delta(index: int, delta: Json) -> bytes:
    return event({"type": "content_block_delta", "index": index, "delta": delta}, "content_block_delta")


def _end(index: int) -> bytes:
    return event({"type": "content_block_stop", "index": index}, "content_block_stop")


def _head(voice: Voice) -> Json:
    return {
        "id": f"msg_{voice.id}",
        "type": "message",
        "role": "assistant",
        "model": voice.model,
        "stop_sequence": None,
    }


def _usage(voice: Voice, *, whole: bool) -> Json:
    used = voice.usage
    return {
        "input_tokens": used.input,
        "output_tokens": used.output if whole else 1,
        "cache_creation_input_tokens": used.cache_write,
        "cache_read_input_tokens": used.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": used.cache_write - used.cache_write_1h,
            "ephemeral_1h_input_tokens": used.cache_write_1h,
        },
    }


def _stop(turn: Turn) -> str:
    ends = {"length": "max_tokens", "refuse": "refusal"}
    return ends.get(turn.ending) or ("tool_use" if turn.calls else "end_turn")


def _id(call_id: str) -> str:
    return f"toolu_{call_id}"


def _signature(text: str) -> str:
    return "sims" + hashlib.sha256(text.encode()).hexdigest()
