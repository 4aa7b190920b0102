"""A stream that gave its reason to stop and ended without its last event gets that event.

Agents take a stream without it for one that was cut, and ask again or stop. One without a reason to stop was cut, and
ends in words. Responses streams are not mended: their last event holds the whole answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from moor.domain.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT
from moor.domain.quirks import OMITS_STREAM_END
from moor.gateway.filters.base import RESPONSE, Filter, leave

if TYPE_CHECKING:
    from moor.wire.meter.base import Tally

_DONE: Final = b"data: [DONE]\n\n"
_STOP: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def missing(dialect: str, tally: Tally) -> bytes:
    """The last event of a stream that ended, where it lacks it and nothing else."""
    if dialect == OPENAI_CHAT:
        return _DONE if tally.ended and not tally.marked else b""
    return _STOP if tally.final and not tally.ended else b""


FILTER: Final = Filter(
    name="stream-end",
    phases=(RESPONSE,),
    priority=60,
    dialects=(ANTHROPIC_MESSAGES, OPENAI_CHAT),
    quirk=OMITS_STREAM_END,
    why="a stream without `[DONE]` or `message_stop` is taken for a broken one, though it gave its reason to stop",
    since="0.1.0",
    fields=("[DONE]", "message_stop"),
    apply=leave,
    end=missing,
)
