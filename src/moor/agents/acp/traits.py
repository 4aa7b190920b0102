"""In what one agent's Agent Client Protocol differs from another's, as data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

Raw = dict[str, Any]


def as_it_is(call: Raw) -> Raw:
    """A tool call that needs no mending."""
    return call


class AcpTraits(msgspec.Struct, frozen=True, kw_only=True):
    """One agent's ways. Its program, arguments and environment stand in the launch plan."""

    agent: str
    """id, for errors"""
    model: str = ""
    """model to choose over the protocol; empty: the launch has named it already"""
    mode: str = ""
    """mode to put the session into, e.g. `default`; empty: the one it starts in"""
    auth_method: str = ""
    """method to authenticate by before the first session; empty: none is needed"""
    mend: Callable[[Raw], Raw] = as_it_is
    """a tool call as this agent writes it to one in the protocol's words; it may add `name` and fill `rawInput`"""
    permission_is_call: bool = True
    """a permission names the tool call it is for; False: it has an id of its own, and its call is shown apart"""
    commands: tuple[str, ...] = ()
    """beginnings of a prompt that it takes for a command of its own, beside the model: such a prompt gets a word
    before it, because a prompt of `moor run` is for the model"""
    empty_is_failure: bool = False
    """a turn that ends well but without a word of answer has failed: the agent hides a broken answer that way"""
    notice: str = ""
    """regular expression; a piece of an answer that it matches from its start is a note of the agent's own"""
    failed_text: str = ""
    """regular expression; an answer that it matches from its start is an error that the agent tells as an answer"""
    failed_piece: str = ""
    """the same for the last piece of an answer: the agent tells an error behind what the model said before it"""
    start_s: float = 55.0
    """seconds until the first session must stand"""
