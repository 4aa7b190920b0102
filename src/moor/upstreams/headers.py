"""Headers that say who calls: product tokens, and tags that a workspace books with the call."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from moor import __version__
from moor.domain.session import Session

PRODUCT: Final = f"moor/{__version__}"
_TAG_MAX: Final = 256
"""characters of one tag's key or value"""
_NOT_TOKEN: Final = re.compile(r"[^A-Za-z0-9!#$%&'*+./^_`|~ ()-]")


def user_agent(session: Session) -> str:
    """`moor/0.1.0 opencode/1.18.33`: a workspace attributes calls by the one agent name in it (2.9)."""
    agent = _NOT_TOKEN.sub("", session.traits.user_agent or session.agent)[:_TAG_MAX]
    return f"{PRODUCT} {agent}".strip()


def request_tags(session: Session) -> str:
    """One line of compact ASCII JSON, strings only; JSON's escapes leave no way for CR or LF (2.9)."""
    tags = {
        "user": session.user,
        "repository": session.repository,
        "branch": session.branch,
        **session.tags,
        "session": session.id,
        "agent": session.agent,
    }
    short = {key[:_TAG_MAX]: str(value)[:_TAG_MAX] for key, value in tags.items() if key and value}
    line = msgspec.json.encode(short, order="sorted").decode()
    return "".join(c if c < "\x7f" else _escaped(c) for c in line)


def _escaped(character: str) -> str:
    """As JSON spells it in ASCII; two halves beyond the basic plane."""
    halves = character.encode("utf-16-be").hex()
    return "".join(f"\\u{halves[at : at + 4]}" for at in range(0, len(halves), 4))
