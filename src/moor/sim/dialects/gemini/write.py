"""An answer in the generateContent dialect: whole, as events, or as a JSON array.

Facts/databricks 2.10, gemini-cli 6.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from moor.errors.sim import SimRefusal
from moor.sim.dialects.face import BROKEN, Voice, breaking, has_text, spoken
from moor.sim.messages import Answer, Chunk, Json, json_answer
from moor.sim.script.player import Turn
from moor.sim.switches import Switchboard

_STATUS = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}
_FINISH = {"length": "MAX_TOKENS", "refuse": "SAFETY"}


def full(turn: Turn, voice: Voice) -> Json:
    """The answer as one JSON object."""
    parts: list[Json] = []
    if turn.think and _shows_thought(voice):
        parts.append({"text": turn.think, "thought": True})
    if has_text(turn):
        parts.append({"text": turn.say})
    return _body(voice, parts + _calls(turn, voice), _FINISH.get(turn.ending, "STOP"))


def stream(turn: Turn, voice: Voice) -> Iterator[Chunk]:
    """The answer as server-sent events, or as the elements of one JSON array without `alt=sse`."""
    wrap = _wrap_event if voice.events else _wrap_element
    for number, made in enumerate(_bodies(turn, voice)):
        yield wrap(made, number) if isinstance(made, dict) else made
    if not voice.events:
        yield b"]"


def refuse(refusal: SimRefusal, _board: Switchboard) -> Answer:
    """Google's form."""
    status = _STATUS.get(refusal.status, "UNKNOWN")
    body = {"error": {"code": refusal.status, "message": refusal.message, "status": status, "details": []}}
    return json_answer(body, refusal.status)


def _bodies(turn: Turn, voice: Voice) -> Iterator[Json | Chunk]:
    if turn.think and _shows_thought(voice):
        yield _body(voice, [{"text": turn.think, "thought": True}])
    made: Json = {}
    for piece in spoken(turn):
        made = _body(voice, [{"text": piece}])
        yield made
    if turn.ending in BROKEN:
        error = {"error": {"code": 503, "message": "The simulated model is overloaded.", "status": "UNAVAILABLE"}}
        yield from breaking(turn, _wrap_event(made, 1), _wrap_event(error, 1))
        return
    for part in _calls(turn, voice):
        yield _body(voice, [part])
    yield _body(voice, [{"text": ""}], _FINISH.get(turn.ending, "STOP"))


def _wrap_event(body: Json, _number: int) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\r\n\r\n"


def _wrap_element(body: Json, number: int) -> bytes:
    return (b",\r\n" if number else b"[") + msgspec.json.encode(body)


def _calls(turn: Turn, voice: Voice) -> list[Json]:
    parts: list[Json] = []
    for part in turn.calls:
        made: Json = {"functionCall": {"name": part.call.name, "args": part.call.arguments}}
        if voice.card.thought_signatures and not parts:
            # base64, as real ones are: Pi sends no other back
            made["thoughtSignature"] = "sims" + hashlib.sha256(part.id.encode()).hexdigest()
        parts.append(made)
    return parts


def _shows_thought(voice: Voice) -> bool:
    config = (voice.body.get("generationConfig") or {}).get("thinkingConfig") or {}
    return bool(config.get("includeThoughts"))


def _body(voice: Voice, parts: list[Json], finish: str = "") -> Json:
    candidate: Json = {"index": 0, "content": {"role": "model", "parts": parts}}
    body: Json = {"candidates": [candidate], "modelVersion": voice.model, "responseId": voice.id}
    if finish:
        candidate["finishReason"] = finish
        body["usageMetadata"] = _usage(voice)
    return body


def _usage(voice: Voice) -> Json:
    used = voice.usage
    prompt = used.input + used.cache_read + used.cache_write
    body = {
        "promptTokenCount": prompt,
        "candidatesTokenCount": used.output - used.reasoning,
        "totalTokenCount": prompt + used.output,
    }
    if used.cache_read:
        body["cachedContentTokenCount"] = used.cache_read
    if used.reasoning:
        body["thoughtsTokenCount"] = used.reasoning
    return body
