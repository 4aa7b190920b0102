"""Token counts computed from the request: about four characters a token, cache numbers from what repeats."""

from __future__ import annotations

from typing import Final

import msgspec

from moor.domain.usage import Usage
from moor.sim.script.conversation import MODEL, Called, Conversation, Item, Said
from moor.sim.script.player import Turn
from moor.sim.script.toolfit import Fitted

_BLOCK: Final = 128
_SMALLEST_CACHED: Final = 1024
_TAIL: Final = 4


def tokens(characters: int) -> int:
    """Tokens of so many characters."""
    return (characters + 3) // 4


def count_prompt(talk: Conversation) -> int:
    """Tokens of a whole request."""
    return tokens(len(talk.system) + talk.tools_size + sum(map(_size, talk.items)))


def measure(
    talk: Conversation, turn: Turn, *, marked: bool, explicit: bool, told: bool, for_an_hour: bool = False
) -> Usage:
    """What the call used.

    `explicit`: the dialect writes caches where the client marks them (Anthropic), and `marked` says that it did;
    otherwise a repeated prefix of at least 1,024 tokens is read from the cache in blocks of 128. `told`: the dialect
    says how many of the output tokens were thought. `for_an_hour`: what is written is kept so long.
    """
    prompt = count_prompt(talk)
    repeated = _repeated(talk)
    if explicit:
        read = repeated if marked else 0
        written = max(prompt - read - _TAIL, 0) if marked else 0
    else:
        read = repeated // _BLOCK * _BLOCK if repeated >= _SMALLEST_CACHED else 0
        written = 0
    thought = tokens(len(turn.think))
    spoken = tokens(len(turn.say) + sum(_call_size(part.call) for part in turn.calls))
    return Usage(
        input=prompt - read - written,
        output=max(spoken, 1) + thought,
        cache_read=read,
        cache_write=written,
        reasoning=thought if told else 0,
        cache_write_1h=written if for_an_hour else 0,
    )


def _repeated(talk: Conversation) -> int:
    """Tokens that an earlier request of this conversation held: all before the model's last part."""
    own = [i for i, item in enumerate(talk.items) if _is_model(item)]
    if not own:
        return 0
    last = own[-1]
    while last > 0 and _is_model(talk.items[last - 1]):
        last -= 1
    return tokens(len(talk.system) + talk.tools_size + sum(map(_size, talk.items[:last])))


def _is_model(item: Item) -> bool:
    return isinstance(item, Called) or (isinstance(item, Said) and item.role == MODEL)


def _size(item: Item) -> int:
    if isinstance(item, Called):
        return len(item.name) + item.size
    return len(item.text)


def _call_size(call: Fitted) -> int:
    return len(msgspec.json.encode(call))
