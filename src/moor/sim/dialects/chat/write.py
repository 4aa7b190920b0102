"""An answer in the chat dialect, whole or as chunks (facts/databricks 2.10; quirks of 2.7 rows 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.catalogue.models import CLAUDE, OPEN
from moor.sim.dialects.face import BROKEN, Voice, breaking, event, has_text, pieces, spoken
from moor.sim.messages import Answer, Chunk, Json, json_answer
from moor.sim.script.player import Part, Turn

DONE = b"data: [DONE]\n\n"
QUIRK_NAME = "databricks-tool-call"


def full(turn: Turn, voice: Voice) -> Json:
    """The completion as one JSON object."""
    message: Json = {"role": "assistant", "content": _content(turn, voice) if has_text(turn) else None}
    if turn.think and _plain_thought(voice):
        message["reasoning_content"] = turn.think
    if turn.calls:
        message["tool_calls"] = [_call(part, voice) for part in turn.calls]
    choice = {"index": 0, "message": message, "finish_reason": _finish(turn, voice)}
    return {**_head(voice, "chat.completion"), "choices": [choice], "usage": _usage(voice)}


def stream(turn: Turn, voice: Voice) -> Iterator[Chunk]:
    """The completion as chunks, closed by [DONE]."""
    yield _chunk(voice, {"role": "assistant", "content": ""})
    for piece in pieces(turn.think):
        if _listed(voice):
            yield _chunk(voice, {"content": [_thought_block(piece)]})
        elif _plain_thought(voice):
            yield _chunk(voice, {"reasoning_content": piece})
    last = b""
    for piece in spoken(turn):
        last = _chunk(voice, {"content": piece})
        yield last
    if turn.ending in BROKEN:
        error = {"error_code": "INTERNAL_ERROR", "message": "The simulated provider is overloaded"}
        yield from breaking(turn, last, event({"error": error}))
        return
    for place, part in enumerate(turn.calls):
        yield from _call_chunks(part, place, voice)
    yield _chunk(voice, {}, _finish(turn, voice))
    wants_usage = (voice.body.get("stream_options") or {}).get("include_usage") is True
    if wants_usage or voice.switches[switches.USAGE_ALWAYS]:
        yield event({**_head(voice, "chat.completion.chunk"), "choices": [], "usage": _usage(voice)})
    yield DONE


def refuse(refusal: SimRefusal, _board: switches.Switchboard) -> Answer:
    """Error code and message, as the gateway does."""
    if refusal.message.startswith("messages: "):
        return json_answer({"message": refusal.message}, refusal.status)
    return json_answer({"error_code": refusal.code, "message": refusal.message}, refusal.status)


def refuse_engine(refusal: SimRefusal, _board: switches.Switchboard) -> Answer:
    """The error of an OpenAI-compatible engine."""
    body = {"message": refusal.message, "type": "BadRequestError", "param": None, "code": refusal.status}
    return json_answer({"error": body}, refusal.status)


def _call_chunks(part: Part, place: int, voice: Voice) -> Iterator[bytes]:
    call = _call(part, voice)
    function = call["function"]
    begin = {**call, "index": place, "function": {"name": function["name"], "arguments": ""}}
    yield _chunk(voice, {"tool_calls": [begin]})
    for piece in pieces(function["arguments"]):
        yield _chunk(voice, {"tool_calls": [{"index": place, "function": {"arguments": piece}}]})


def _call(part: Part, voice: Voice) -> Json:
    arguments = msgspec.json.encode(part.call.arguments).decode()
    function = {"name": part.call.name, "arguments": arguments}
    if voice.card.quirky and voice.switches[switches.TOOL_CALL_QUIRK]:
        wrapped = {"name": part.call.name, "arguments": part.call.arguments}
        function = {"name": QUIRK_NAME, "arguments": msgspec.json.encode(wrapped).decode()}
    return {"id": f"call_{part.id}", "type": "function", "function": function}


def _finish(turn: Turn, voice: Voice) -> str:
    if turn.ending in ("length", "refuse"):
        return {"length": "length", "refuse": "content_filter"}[turn.ending]
    quirk = voice.card.quirky and voice.switches[switches.FINISH_REASON_QUIRK]
    return "tool_calls" if turn.calls and not quirk else "stop"


def _content(turn: Turn, voice: Voice) -> str | list[Json]:
    if turn.think and _listed(voice):
        return [_thought_block(turn.think), {"type": "text", "text": turn.say}]
    return turn.say


def _thought_block(text: str) -> Json:
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}


def _listed(voice: Voice) -> bool:
    """Content as a list of blocks: documented for Claude and gpt-oss with reasoning."""
    return (voice.card.list_content or voice.card.family == CLAUDE) and voice.switches[switches.LIST_CONTENT]


def _plain_thought(voice: Voice) -> bool:
    """Open models show their thought in a field of its own."""
    return voice.card.family == OPEN and not _listed(voice)


def _head(voice: Voice, kind: str) -> Json:
    return {"id": f"chatcmpl-{voice.id}", "object": kind, "created": voice.created, "model": voice.model}


def _chunk(voice: Voice, delta: Json, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event({**_head(voice, "chat.completion.chunk"), "choices": [choice]})


def _usage(voice: Voice) -> Json:
    used = voice.usage
    prompt = used.input + used.cache_read + used.cache_write
    body: Json = {
        "prompt_tokens": prompt,
        "completion_tokens": used.output,
        "total_tokens": prompt + used.output,
        "prompt_tokens_details": {"cached_tokens": used.cache_read},
    }
    if used.reasoning:
        body["completion_tokens_details"] = {"reasoning_tokens": used.reasoning}
    return body
