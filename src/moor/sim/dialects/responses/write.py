"""An answer in the Responses dialect, whole or as events (facts/databricks 2.10, codex section on the stream)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.dialects.face import BROKEN, Voice, breaking, event, has_text, pieces, spoken
from moor.sim.messages import Answer, Chunk, Json, json_answer
from moor.sim.script.player import Part, Turn


def full(turn: Turn, voice: Voice) -> Json:
    """The response as one JSON object."""
    return {**_response(voice), **_closing(turn), "output": _output(turn, voice), "usage": _usage(voice)}


def stream(turn: Turn, voice: Voice) -> Iterator[Chunk]:
    """The response as numbered events, closed by response.completed."""
    for number, made in enumerate(_events(turn, voice)):
        if isinstance(made, dict):
            yield event({**made, "sequence_number": number}, made["type"])
        else:
            yield made


def refuse(refusal: SimRefusal, _board: switches.Switchboard) -> Answer:
    """Error code and message, as the gateway does."""
    return json_answer({"error_code": refusal.code, "message": refusal.message}, refusal.status)


def _events(turn: Turn, voice: Voice) -> Iterator[Json | Chunk]:
    start = {**_response(voice), "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": start}
    yield {"type": "response.in_progress", "response": start}
    place = 0
    if turn.think:
        yield from _reasoning_events(turn, voice, place)
        place += 1
    if has_text(turn):
        yield from _message_events(turn, voice, place)
        if turn.ending in BROKEN:
            yield from _broken(turn, voice)
            return
        place += 1
    for part in turn.calls:
        yield from _call_events(part, voice, place)
        place += 1
    kind = "response.incomplete" if turn.ending == "length" else "response.completed"
    yield {"type": kind, "response": full(turn, voice)}


def _broken(turn: Turn, voice: Voice) -> Iterator[Chunk]:
    error = {"code": "server_is_overloaded", "message": "The simulated provider is overloaded"}
    failed = {**_response(voice), "status": "failed", "error": error, "output": []}
    last = event({"type": "response.output_text.delta", "delta": "this event is never whole"})
    yield from breaking(turn, last, event({"type": "response.failed", "response": failed}, "response.failed"))


def _reasoning_events(turn: Turn, voice: Voice, place: int) -> Iterator[Json]:
    item = _reasoning(turn, voice)
    opened = {"type": "reasoning", "id": item["id"], "summary": []}
    at = {"item_id": item["id"], "output_index": place, "summary_index": 0}
    yield {"type": "response.output_item.added", "output_index": place, "item": opened}
    if item["summary"]:
        blank = {"type": "summary_text", "text": ""}
        yield {"type": "response.reasoning_summary_part.added", **at, "part": blank}
        for piece in pieces(turn.think):
            yield {"type": "response.reasoning_summary_text.delta", **at, "delta": piece}
        yield {"type": "response.reasoning_summary_text.done", **at, "text": turn.think}
        yield {"type": "response.reasoning_summary_part.done", **at, "part": item["summary"][0]}
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _message_events(turn: Turn, voice: Voice, place: int) -> Iterator[Json]:
    item = _message(turn, voice)
    at = {"item_id": item["id"], "output_index": place, "content_index": 0}
    opened = {**item, "status": "in_progress", "content": []}
    yield {"type": "response.output_item.added", "output_index": place, "item": opened}
    blank = {"type": "output_text", "text": "", "annotations": []}
    yield {"type": "response.content_part.added", **at, "part": blank}
    for piece in spoken(turn):
        yield {"type": "response.output_text.delta", **at, "delta": piece}
    if turn.ending in BROKEN:
        return
    yield {"type": "response.output_text.done", **at, "text": turn.say}
    yield {"type": "response.content_part.done", **at, "part": item["content"][0]}
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _call_events(part: Part, voice: Voice, place: int) -> Iterator[Json]:
    item = _call(part, voice)
    custom = item["type"] == "custom_tool_call"
    key = "input" if custom else "arguments"
    kind = "response.custom_tool_call_input" if custom else "response.function_call_arguments"
    at = {"item_id": item["id"], "output_index": place}
    opened = {**item, "status": "in_progress", key: ""}
    yield {"type": "response.output_item.added", "output_index": place, "item": opened}
    for piece in pieces(item[key]):
        yield {"type": f"{kind}.delta", **at, "delta": piece}
    yield {"type": f"{kind}.done", **at, key: item[key]}
    yield {"type": "response.output_item.done", "output_index": place, "item": item}


def _output(turn: Turn, voice: Voice) -> list[Json]:
    reasoning = [_reasoning(turn, voice)] if turn.think else []
    message = [_message(turn, voice)] if has_text(turn) else []
    return reasoning + message + [_call(part, voice) for part in turn.calls]


def _reasoning(turn: Turn, voice: Voice) -> Json:
    wants_summary = bool((voice.body.get("reasoning") or {}).get("summary"))
    item: Json = {"type": "reasoning", "id": f"rs_{voice.id}"}
    item["summary"] = [{"type": "summary_text", "text": turn.think}] if wants_summary else []
    if "reasoning.encrypted_content" in (voice.body.get("include") or []):
        item["encrypted_content"] = "simulated-" + hashlib.sha256(turn.think.encode()).hexdigest()
    return item


def _message(turn: Turn, voice: Voice) -> Json:
    content = {"type": "output_text", "text": turn.say, "annotations": []}
    if turn.ending == "refuse":
        content = {"type": "refusal", "refusal": turn.say}
    return {
        "type": "message",
        "id": f"msg_{voice.id}",
        "role": "assistant",
        "status": "completed",
        "content": [content],
    }


def _call(part: Part, voice: Voice) -> Json:
    base = {"id": f"fc_{part.id}_{voice.id}", "call_id": f"call_{part.id}", "name": part.call.name}
    if part.call.free_text:
        return {**base, "type": "custom_tool_call", "input": part.call.text, "status": "completed"}
    arguments = msgspec.json.encode(part.call.arguments).decode()
    return {**base, "type": "function_call", "arguments": arguments, "status": "completed"}


def _response(voice: Voice) -> Json:
    return {
        "id": f"resp_{voice.id}",
        "object": "response",
        "created_at": voice.created,
        "model": voice.model,
        "error": None,
        "incomplete_details": None,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "metadata": {},
    }


def _closing(turn: Turn) -> Json:
    if turn.ending == "length":
        return {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    return {"status": "completed"}


def _usage(voice: Voice) -> Json:
    used = voice.usage
    given = used.input + used.cache_read + used.cache_write
    return {
        "input_tokens": given,
        "output_tokens": used.output,
        "total_tokens": given + used.output,
        "input_tokens_details": {"cached_tokens": used.cache_read},
        "output_tokens_details": {"reasoning_tokens": used.reasoning},
    }
