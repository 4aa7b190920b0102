"""What all calls with one head have in common; found out at the first of them and kept with the head."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moor.gateway.headers import pass_to_upstream
from moor.wire.heads import header_lines

if TYPE_CHECKING:
    from moor.domain.session import Session
    from moor.gateway.request import Request


class Known:
    """Holds for a head as long as its key belongs to the same session."""

    def __init__(
        self,
        session: Session,
        agent_session: str,
        parent_session: str,
        passed: dict[bytes, bytes],
        passed_lines: bytes,
    ) -> None:
        self.session = session
        self.of_rows = (session.id, session.agent, session.tags)
        """what the rows of its calls hold of the session"""
        self.agent_session = agent_session
        self.parent_session = parent_session
        self.passed = passed
        """the agent's headers that travel on; shared, so never changed"""
        self.passed_lines = passed_lines
        """the same as header lines"""


def known_of(request: Request, session: Session) -> Known:
    """What is known of the request's head, found out now where it is the first of its kind."""
    known = request.known
    if known is not None and known.session is session:
        return known
    assert request.route is not None
    traits = session.traits
    passed = pass_to_upstream(request.route.dialect, request.named)
    own = _text(request, traits.session_header) if traits.session_header else ""
    parent = _text(request, traits.parent_header) if traits.parent_header else ""
    inner = _text(request, traits.subagent_header) if traits.subagent_header else ""
    if inner and not parent:
        own, parent = inner, own  # the header names the sub-agent, and its call carries the main agent's session
    request.known = known = Known(session, own, parent, passed, header_lines(passed.items()))
    return known


def _text(request: Request, header: str) -> str:
    """A header's value as bounded text."""
    value = request.named.get(header.lower().encode("latin-1", "replace"), b"")
    return value.decode("latin-1")[:200]
