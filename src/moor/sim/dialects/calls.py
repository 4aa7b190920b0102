"""One model call: find the model, refuse what is refused, ask the script, write the answer, count the tokens."""

from __future__ import annotations

import asyncio
import re
import secrets
from collections.abc import AsyncGenerator, Iterator
from typing import Final

import msgspec

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.catalogue.models import CLAUDE, NOT_READY, RESPONSES_API, SERVICE, ModelCard
from moor.sim.dialects.anthropic.write import refuse as refuse_anthropic
from moor.sim.dialects.face import Face, Rules, Voice
from moor.sim.messages import (
    EVENTS_TYPE,
    JSON_TYPE,
    Answer,
    Chunk,
    Cut,
    Json,
    Reply,
    Request,
    Stall,
    Streamed,
    json_answer,
    plain_error,
)
from moor.sim.records import Used
from moor.sim.script.conversation import Conversation
from moor.sim.script.player import Turn, answer
from moor.sim.script.usage import count_prompt, measure
from moor.sim.state import Ask

_FOR_AN_HOUR: Final = re.compile(rb'"ttl"\s*:\s*"1h"')
_HIDDEN_THOUGHT: Final = "(simulated) a thought of this model. "
_IN_PATH = re.compile(r"/models/([^/:]+):|/serving-endpoints/([^/]+)/invocations$")


def model_of(request: Request) -> str:
    """The model a request names, in its path or body; "" when it names none. Never raises."""
    found = _IN_PATH.search(request.path)
    if found:
        return found.group(1) or found.group(2)
    try:
        return str(msgspec.json.decode(request.body, type=_Named).model)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""


class _Named(msgspec.Struct):
    model: str = ""


async def model_call(
    ask: Ask, face: Face, body: Json, *, model: str, stream: bool, events: bool = True, card: ModelCard | None = None
) -> Reply:
    """The answer to a call in one dialect, or the refusal in its form. Without `card` the id is looked up."""
    ask.seen.model, ask.seen.dialect, ask.seen.stream = model, face.dialect, stream
    found = card or find_model(ask, face, model)
    if isinstance(found, Answer):
        return found
    try:
        talk = _checked(ask, face, body, found)
    except SimRefusal as refusal:
        ask.seen.refusal = refusal.message
        return face.refuse(refusal, ask.state.switches)
    return await _speak(ask, face, body, talk, found, model=model, stream=stream, events=events)


def find_model(ask: Ask, face: Face, model: str) -> ModelCard | Answer:
    """The card of an id on this route, or why there is none (facts/databricks 0.3, 2.2)."""
    card = ask.state.models.get(model)
    if ask.request.path.startswith("/serving-endpoints/"):
        if card is None or model.startswith(SERVICE) or not card.endpoint:
            return plain_error(404, "ENDPOINT_NOT_FOUND", f"The given endpoint does not exist, please retry: {model}")
    elif card is None:
        return plain_error(404, "NOT_FOUND", f"NOT_FOUND: '{model}' does not exist")
    if face.api_type not in card.api_types:
        return _not_passed(face, card, model)
    if card.ready == NOT_READY:
        return plain_error(503, "TEMPORARILY_UNAVAILABLE", f"The endpoint {model} is not ready.")
    return card


def _not_passed(face: Face, card: ModelCard, model: str) -> Answer:
    if face.api_type == RESPONSES_API and card.family == CLAUDE:
        return plain_error(400, "BAD_REQUEST", "Responses API passthrough is not supported")
    return plain_error(400, "BAD_REQUEST", f"{face.api_type} is not supported for {model}")


def _checked(ask: Ask, face: Face, body: Json, card: ModelCard) -> Conversation:
    board = ask.state.switches
    betas = [value.strip() for value in ask.request.header("anthropic-beta").split(",")]
    face.check(body, Rules(switches=board, card=card, betas=tuple(filter(None, betas))))
    if board[switches.REQUEST_TAGS]:
        _check_tags(ask.request.header("databricks-ai-gateway-request-tags"))
    talk = face.read(body)
    prompt = count_prompt(talk)
    if board[switches.CONTEXT_WINDOW] and prompt > card.context:
        raise SimRefusal(400, f"prompt is too long: {prompt} tokens > {card.context} maximum")
    return talk


def _check_tags(text: str) -> None:
    if not text:
        return
    try:
        msgspec.json.decode(text, type=dict[str, str])
    except msgspec.DecodeError as problem:
        raise SimRefusal(400, "Databricks-Ai-Gateway-Request-Tags: not a JSON object of strings") from problem


async def _speak(
    ask: Ask, face: Face, body: Json, talk: Conversation, card: ModelCard, *, model: str, stream: bool, events: bool
) -> Reply:
    turn = _thinking(answer(talk, ask.state.library), face, body, card)
    used = _use(ask, face, turn, talk)
    voice = Voice(
        model=model,
        card=card,
        usage=used.usage,
        created=int(ask.state.clock.now()),
        id="sim" + secrets.token_hex(10),
        body=body,
        switches=ask.state.switches,
        events=events,
    )
    await asyncio.sleep(turn.pause_s + ask.state.config.first_byte_s)
    headers = (("x-request-id", voice.id), ("request-id", voice.id))
    if stream:
        chunks = _paced(face.stream(turn, voice), ask.state.config.chunk_s, used, turn)
        return Streamed(headers=(EVENTS_TYPE if events else JSON_TYPE, *headers), chunks=chunks)
    used.complete = True
    return _whole(face, turn, voice, headers)


def _whole(face: Face, turn: Turn, voice: Voice, headers: tuple[tuple[str, str], ...]) -> Answer:
    """The answer in one body; a script that breaks off in the middle is a 503 here."""
    if turn.ending in ("error", "cut", "stall"):
        return face.refuse(
            SimRefusal(503, "The simulated provider is overloaded", "TEMPORARILY_UNAVAILABLE"), voice.switches
        )
    reply = json_answer(face.full(turn, voice))
    reply.headers = (*reply.headers, *headers)
    return reply


def _thinking(turn: Turn, face: Face, body: Json, card: ModelCard) -> Turn:
    """The turn with its thought as this model and request have it."""
    if not face.thinks(body, card):
        return msgspec.structs.replace(turn, think="")
    return turn if turn.think else msgspec.structs.replace(turn, think=_HIDDEN_THOUGHT)


def _use(ask: Ask, face: Face, turn: Turn, talk: Conversation) -> Used:
    anthropic = face.dialect == ANTHROPIC_MESSAGES
    usage = measure(
        talk,
        turn,
        marked=b'"cache_control"' in ask.request.body,
        explicit=anthropic,
        told=not anthropic,
        for_an_hour=_FOR_AN_HOUR.search(ask.request.body) is not None,
    )
    used = Used(
        number=ask.seen.number, model=ask.seen.model, dialect=face.dialect, usage=usage, scenario=turn.scenario
    )
    return ask.state.usage.add(used)


async def _paced(chunks: Iterator[Chunk], pause_s: float, used: Used, turn: Turn) -> AsyncGenerator[Chunk, None]:
    broken = False
    for chunk in chunks:
        broken = broken or isinstance(chunk, Cut | Stall)
        yield chunk
        await asyncio.sleep(pause_s or (0.002 if turn.ending == "endless" else 0))
    used.complete = not broken and turn.ending != "error"


async def count_tokens(ask: Ask, face: Face, body: Json) -> Reply:
    """POST …/v1/messages/count_tokens, where it is served at all."""
    ask.seen.model, ask.seen.dialect = str(body.get("model", "")), face.dialect
    card = find_model(ask, face, ask.seen.model)
    if isinstance(card, Answer):
        return card
    try:
        talk = _checked(ask, face, {"max_tokens": 1, **body}, card)
    except SimRefusal as refusal:
        ask.seen.refusal = refusal.message
        return refuse_anthropic(refusal, ask.state.switches)
    return json_answer({"input_tokens": count_prompt(talk)})
