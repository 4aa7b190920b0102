"""Messages of the role `system` between the turns become reminders in a user's turn (Messages dialect).

Source: facts/agents-on-a-strict-wire; Claude Code sends them to the newest models and to those it does not know.
What such a message says stays where it was said, so that a conversation's beginning keeps its bytes as it grows:
behind the user's turn before it, else in the user's turn after it, else in a turn of its own.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.quirks import REFUSES_SYSTEM_ROLE_IN_MESSAGES
from moor.gateway.filters.base import Draft, Filter
from moor.gateway.filters.texts import is_blank
from moor.gateway.filters.turns import SMALL, read_turns
from moor.wire.splice import Buffer, array, elements, encode, value

_REMINDER: Final = "<system-reminder>\n%s\n</system-reminder>"
"""the form in which agents put words of their own into a user's turn; models know it"""
_RESULT: Final = "tool_result"


class _Role(msgspec.Struct, gc=False):
    role: str = ""


_ROLES: Final = msgspec.json.Decoder(list[_Role])


def apply(draft: Draft) -> bool:
    """Repair `messages`."""
    raw = draft.view("messages")
    if raw is None:
        return False
    roles = _roles(draft, raw)
    if "system" not in roles:
        return False
    draft.set("messages", array(_moved(roles, elements(raw) or [])))
    return True


def _roles(draft: Draft, raw: memoryview) -> list[str]:
    """The role of each message; empty where their shape is none we know."""
    if len(raw) >= SMALL:
        turns = read_turns(draft)  # the reading that rules about pairs and blank texts need as well
        return turns.roles if turns is not None else []
    try:
        return [message.role for message in _ROLES.decode(raw)]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []


def _moved(roles: list[str], items: list[Buffer]) -> list[Buffer]:
    out: list[Buffer] = []
    before = ""
    """role of the last message in `out`"""
    waiting: list[Any] = []
    """reminders that found no user's turn before them"""
    for role, item in zip(roles, items, strict=True):
        if role == "system":
            said = _reminders(value(item))
            if before != "user":
                waiting += said
            elif said:
                out[-1] = _with_blocks(out[-1], said, at_end=True)
            continue
        if waiting and role == "user":
            out.append(_with_blocks(item, waiting, at_end=False))
        else:
            out += _own_turn(waiting)
            out.append(item)
        before, waiting = role, []
    return out + _own_turn(waiting)


def _own_turn(said: list[Any]) -> list[Buffer]:
    return [encode({"role": "user", "content": said})] if said else []


def _reminders(message: Any) -> list[Any]:
    """What a system message says, as text blocks; their cache marks stay."""
    content = message.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list):
        return []
    return [
        {**block, "text": _REMINDER % block["text"]}
        for block in blocks
        if isinstance(block, dict) and isinstance(block.get("text"), str) and not is_blank(block["text"])
    ]


def _with_blocks(raw: Buffer, said: list[Any], *, at_end: bool) -> Buffer:
    """A user's message with further blocks: at its end, or at its beginning but behind the results of tools."""
    message: Any = value(raw)
    content = message.get("content")
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    if not isinstance(blocks, list):
        return raw
    place = len(blocks)
    if not at_end:
        results = [n for n, block in enumerate(blocks) if isinstance(block, dict) and block.get("type") == _RESULT]
        place = results[-1] + 1 if results else 0
    return encode({**message, "content": [*blocks[:place], *said, *blocks[place:]]})


FILTER: Final = Filter(
    name="system-turns",
    priority=6,  # before rules about pairs of calls and results, which such a message may stand between
    dialects=(ANTHROPIC_MESSAGES,),
    quirk=REFUSES_SYSTEM_ROLE_IN_MESSAGES,
    why='400: Unexpected role "system"; Claude Code sends such messages to the newest models and to unknown ones',
    since="0.1.0",
    fields=("messages[role=system]",),
    # not "system" alone: that is a key of nearly every body, and the rules would then be asked one by one; without a
    # space, as Claude Code writes it
    trigger=(b'"role":"system"',),
    apply=apply,
)
