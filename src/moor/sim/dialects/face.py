"""What a dialect has to offer the simulator, and the helpers all four share."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from moor.domain.usage import Usage
from moor.errors.sim import SimRefusal
from moor.sim.catalogue.models import ModelCard
from moor.sim.messages import Answer, Chunk, Cut, Json, Stall
from moor.sim.script.conversation import Conversation
from moor.sim.script.plan import filler
from moor.sim.script.player import Turn
from moor.sim.switches import Switchboard

PIECE: Final = 24
"""characters in one streamed piece of text, about"""
BROKEN: Final = ("error", "cut", "stall")
_WORDS = re.compile(r"\S*\s*")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What a strict check needs beside the body."""

    switches: Switchboard
    card: ModelCard
    betas: tuple[str, ...] = ()
    """values of the anthropic-beta header"""
    streaming: bool = False


class Voice(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer is to be written."""

    model: str
    """as the request named it"""
    card: ModelCard
    usage: Usage
    created: int
    id: str
    body: Json
    """the request"""
    switches: Switchboard
    events: bool = True
    """server-sent events; False: the Gemini JSON array"""


class Face(msgspec.Struct, frozen=True, kw_only=True):
    """One dialect."""

    dialect: str
    api_type: str
    check: Callable[[Json, Rules], None]
    """raises SimRefusal"""
    read: Callable[[Json], Conversation]
    thinks: Callable[[Json, ModelCard], bool]
    """whether thought is asked for"""
    full: Callable[[Turn, Voice], Json]
    stream: Callable[[Turn, Voice], Iterator[Chunk]]
    refuse: Callable[[SimRefusal, Switchboard], Answer]


def event(data: Json, name: str = "") -> bytes:
    """One server-sent event."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + msgspec.json.encode(data) + b"\n\n"


def pieces(text: str) -> Iterator[str]:
    """The text in pieces of whole words, about PIECE characters each."""
    held = ""
    for match in _WORDS.finditer(text):
        held += match.group()
        if len(held) >= PIECE:
            yield held
            held = ""
    if held:
        yield held


def spoken(turn: Turn) -> Iterator[str]:
    """The pieces of what is said: for ever when endless, the first half when the answer breaks off."""
    if turn.ending in BROKEN:
        yield from pieces(turn.say[: max(len(turn.say) // 2, 1)])
        return
    yield from pieces(turn.say)
    while turn.ending == "endless":
        yield from pieces(filler(400))


def breaking(turn: Turn, last: bytes, error: bytes) -> Iterator[Chunk]:
    """How a broken answer ends: the dialect's error event, a cut inside an event, or silence."""
    if turn.ending == "error":
        yield error
    elif turn.ending == "cut":
        yield last[: len(last) // 2]
        yield Cut()
    else:
        yield Stall()


def has_text(turn: Turn) -> bool:
    """Whether a text block is written: also an empty one when the script says so."""
    return bool(turn.say) or turn.ending == "empty" or not turn.calls


def words(text: str) -> frozenset[str]:
    """The words of a list that is written as one line."""
    return frozenset(text.split())


def extra(where: str) -> SimRefusal:
    """The validator's word for a key it does not know."""
    return SimRefusal(400, f"{where}: Extra inputs are not permitted")


def only_keys(value: Json, allowed: frozenset[str], where: str) -> None:
    """Refuse a key outside the list; `where` is the path of the object, "" for the body."""
    for key in value:
        if key not in allowed:
            raise extra(f"{where}.{key}" if where else key)


def required(value: Json, key: str, where: str = "") -> Any:
    """The value of a key that must be there."""
    if key not in value:
        raise SimRefusal(400, f"{where}.{key}: Field required" if where else f"{key}: Field required")
    return value[key]


def is_int(value: object) -> bool:
    """An integer that is no boolean."""
    return isinstance(value, int) and not isinstance(value, bool)


def objects(value: object, where: str) -> list[Json]:
    """A list of JSON objects, or a refusal."""
    if not isinstance(value, list):
        raise SimRefusal(400, f"{where}: Input should be a valid list")
    for place, item in enumerate(value):
        if not isinstance(item, dict):
            raise SimRefusal(400, f"{where}.{place}: Input should be a valid dictionary")
    return value


def check_shape(body: Json, shape: type[msgspec.Struct]) -> None:
    """Refuse a value of a wrong type, with its place; absent and unknown keys are left to the dialect's check."""
    try:
        msgspec.convert(body, shape)
    except msgspec.ValidationError as problem:
        what, _, place = str(problem).partition(" - at `$.")
        raise SimRefusal(400, f"{place.rstrip('`')}: {what}") from problem


def check_cap(value: object, rules: Rules, key: str, switch: str) -> None:
    """An output limit must be a positive integer within the model's cap."""
    if not is_int(value) or not isinstance(value, int) or value < 1:
        raise SimRefusal(400, f"{key}: Input should be greater than or equal to 1")
    strict = rules.switches[switch] or rules.card.name.startswith("glm-")
    if strict and value > rules.card.cap:
        raise SimRefusal(
            400,
            f"{key}: {value} > {rules.card.cap}, which is the maximum allowed number of output tokens "
            f"for {rules.card.name}",
        )


GEMINI_UNKNOWN: Final = frozenset({"$schema", "$ref", "$defs", "$id", "$comment", "additionalProperties"})


def check_gemini_schema(schema: object, where: str, unknown: frozenset[str] = GEMINI_UNKNOWN) -> None:
    """Refuse the JSON-schema words Gemini does not know, anywhere in a tool schema (databricks 2.7 row 3)."""
    if isinstance(schema, list):
        for place, item in enumerate(schema):
            check_gemini_schema(item, f"{where}[{place}]", unknown)
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        if key in unknown:
            raise SimRefusal(
                400, f"Invalid JSON payload received. Unknown name \"{key}\" at '{where}': Cannot find field."
            )
        if key == "properties" and isinstance(value, dict):
            for place, inner in enumerate(value.values()):
                check_gemini_schema(inner, f"{where}.properties[{place}].value", unknown)
        else:
            check_gemini_schema(value, f"{where}.{key}", unknown)
