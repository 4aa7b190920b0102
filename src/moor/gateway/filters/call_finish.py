"""An answer with tool calls that ends with `stop` ends with `tool_calls`.

Source: facts/databricks 2.7 row 6. An agent that goes by the reason takes such an answer for the end of its task.
"""

from __future__ import annotations

from typing import Final

from moor.domain.dialects import OPENAI_CHAT
from moor.domain.quirks import STOP_INSTEAD_OF_TOOL_CALLS
from moor.gateway.filters.base import RESPONSE, Filter, leave
from moor.gateway.filters.chunks import Json, calls_in, map_choices, map_chunks, said
from moor.wire.words import holds

_STOP: Final = "stop"
_CALLS: Final = "tool_calls"


class CallFinish:
    """Remembers which choices of a stream called a tool."""

    def __init__(self) -> None:
        self._called: set[int] = set()

    def feed(self, block: bytes) -> bytes:
        """The block with the right reason; untouched where it has that."""
        if not holds(block, b'"tool_calls"') and not (self._called and holds(block, b'"stop"')):
            return block
        return map_chunks(block, lambda chunk: [map_choices(chunk, self.choice)])

    def choice(self, choice: Json) -> Json:
        """One choice, of a stream or of a document, with the right reason."""
        index = choice.get("index")
        place = index if isinstance(index, int) else 0
        if calls_in(said(choice)[1]):
            self._called.add(place)
        if place not in self._called or choice.get("finish_reason") != _STOP:
            return choice
        return {**choice, "finish_reason": _CALLS}


def finished(document: Json) -> Json:
    """A whole answer with the right reason; the same object where it has that."""
    return map_choices(document, CallFinish().choice)


FILTER: Final = Filter(
    name="tool-call-finish",
    phases=(RESPONSE,),
    priority=52,
    dialects=(OPENAI_CHAT,),
    quirk=STOP_INSTEAD_OF_TOOL_CALLS,
    why='`finish_reason: "stop"` beside tool calls: an agent may take it for the end of the task',
    since="0.1.0",
    fields=("choices[].finish_reason",),
    apply=leave,
    stage=CallFinish,
    whole=finished,
)
