"""Which caps a session's calls count into: of the settings, of the command line, of the session it is in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from moor.domain.budget import SESSION, TOKENS, Cap
from moor.run.sweep import VARIABLE

if TYPE_CHECKING:
    from moor.launch.prepare import Request
    from moor.store.home import Home
    from moor.store.settings import Loaded


class Family(NamedTuple):
    """The session that this one is started from, and what that one counts into."""

    parent: str = ""
    caps: tuple[Cap, ...] = ()
    tags: Mapping[str, str] = MappingProxyType({})
    """its labels, which go before those of this one: a cap on a label holds for what is started inside, too"""


def family_of(home: Home, environ: Mapping[str, str]) -> Family:
    """The running session that this process belongs to; opens the database only inside of one."""
    named = environ.get(VARIABLE, "")
    if not named:
        return Family()
    from moor.store.sessions import SessionStore

    store = SessionStore(home)
    try:
        parent = store.get(named)
    finally:
        store.close()
    if parent is None or parent.ended_at is not None:
        return Family()
    return Family(parent.id, tuple(cap for cap in parent.all_caps() if cap.per == SESSION), parent.tags)


def session_caps(
    loaded: Loaded, request: Request, session_id: str, family: Family, upstreams: Iterable[str]
) -> tuple[Cap, ...]:
    """Everything but the session's own money cap. `upstreams`: those that may answer its calls."""
    caps = [*loaded.caps]
    if request.budget_tokens is not None:
        limit = request.budget_tokens
        caps.append(Cap(name=SESSION, per=SESSION, unit=TOKENS, limit=limit, level="command line"))
    own = [
        msgspec.structs.replace(cap, session=session_id) if cap.per == SESSION else cap
        for cap in caps
        if any(cap.fits(upstream, "", {**request.tags, **family.tags}) for upstream in upstreams)
    ]
    return (*own, *family.caps)
