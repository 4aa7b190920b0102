"""What a filter is: a rule on the wire as data, with the function that applies it.

A filter asks for a quirk of the upstream, never for its kind. It sees a `Draft`: top-level values as raw
bytes, replaced one by one, so that what it does not touch goes out byte for byte. The same request gives the
same result at every turn (prompt caches match on prefixes).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Protocol

from moor.wire.splice import splice
from moor.wire.words import holds_any

if TYPE_CHECKING:
    from moor.domain.models import Model
    from moor.wire.index import Index
    from moor.wire.meter.base import Tally

REQUEST: Final = "request"
RESPONSE: Final = "response"


class Draft:
    """A request on its way upstream: top-level values and the headers that travel on."""

    def __init__(self, index: Index, dialect: str, action: str, model: Model, headers: dict[bytes, bytes]) -> None:
        self.index = index
        self.dialect = dialect
        self.action = action
        self.model = model
        self.headers = headers
        self.rules: list[str] = []
        """names of the filters that changed something, in order"""
        self.memo: dict[str, Any] = {}
        """what one rule found out about the original values and another may use"""
        self.stages: list[Stage] = []
        """what must run on the way back of this very call, in order; for streams"""
        self.changes: dict[str, bytes | None] = {}
        """top-level values that differ from the agent's; None: taken out"""

    def get(self, key: str) -> bytes | None:
        """A top-level value as it now stands; None where absent."""
        return self.changes[key] if key in self.changes else self.index.raw(key)

    def view(self, key: str) -> memoryview | None:
        """The same without a copy."""
        if key in self.changes:
            changed = self.changes[key]
            return None if changed is None else memoryview(changed)
        span = self.index.spans.get(key)
        return None if span is None else memoryview(self.index.body)[span[0] : span[1]]

    def is_original(self, key: str) -> bool:
        """Whether a top-level value is still the agent's."""
        return key not in self.changes

    def has(self, key: str) -> bool:
        """Whether a top-level value is there."""
        return (self.changes[key] is not None) if key in self.changes else key in self.index.spans

    def set(self, key: str, value: bytes) -> None:
        """Replace or add a top-level value (JSON)."""
        self.changes[key] = value

    def remove(self, key: str) -> None:
        """Take a top-level value out."""
        self.changes[key] = None

    def result(self) -> Index:
        """The body as it goes out, with its index; the very same object where nothing changed."""
        return splice(self.index, self.changes) if self.changes else self.index


class Stage(Protocol):
    """Changes a stream on its way back."""

    def feed(self, block: bytes) -> bytes:
        """What goes to the agent of a block of whole events; the very same object where nothing changed."""
        ...


class Filter:
    """One rule. Shown by the doctor and the reference page."""

    def __init__(
        self,
        *,
        name: str,
        phases: tuple[str, ...] = (REQUEST,),
        priority: int,
        dialects: tuple[str, ...],
        quirk: str,
        families: tuple[str, ...] = (),
        agents: tuple[str, ...] = (),
        unless: tuple[tuple[str, str], ...] = (),
        told_by: tuple[bytes, ...] = (),
        why: str,
        since: str,
        fields: tuple[str, ...],
        where: str = "",
        header: bytes = b"",
        trigger: tuple[bytes, ...] = (),
        apply: Callable[[Draft], bool],
        stage: Callable[[], Stage] | None = None,
        whole: Callable[[dict[str, Any]], dict[str, Any]] | None = None,
        end: Callable[[str, Tally], bytes] | None = None,
    ) -> None:
        self.name = name
        self.phases = phases
        self.priority = priority
        """lower runs first"""
        self.dialects = dialects
        self.quirk = quirk
        """the upstream's quirk that makes it needed (`moor.domain.quirks`)"""
        self.families = families
        """model families it is for; empty: all"""
        self.agents = agents
        """agents it is for; empty: all"""
        self.unless = unless
        """pairs of quirk and model family for which it stands back"""
        self.told_by = told_by
        """words of a refusal (400) that shows that the upstream needs the rule for a model: it is run from then on,
        and that call is repeated with it; empty: it is run from the first call on"""
        self.why = why
        self.since = since
        self.fields = fields
        """what it touches; no other filter may touch the same"""
        self.where = where
        """the top-level value it is about; without that value it is not run; empty: any"""
        self.header = header
        """the agent's header it is about (small letters); without that header it is not run; empty: any"""
        self.trigger = trigger
        """one of these words must stand in that value (or the body), else it is not run; empty: it always is"""
        self.apply = apply
        """changes the draft; True when it did"""
        self.stage = stage
        """for streams: what runs on the way back when `apply` changed the request, or always where the rule is about
        answers alone"""
        self.whole = whole
        """for documents, of a rule about answers alone: what one becomes; the same object where nothing changed"""

        self.end = end
        """for streams that ended well, of a rule about answers alone: what they lack, by dialect and tally"""

    def fits(self, quirks: frozenset[str], dialect: str, agent: str, model: Model) -> bool:
        """Whether it can be needed for these calls."""
        return (
            self.quirk in quirks
            and dialect in self.dialects
            and (not self.families or model.family in self.families)
            and (not self.agents or agent in self.agents)
            and not any(quirk in quirks and model.family == family for quirk, family in self.unless)
        )


def leave(_: Draft) -> bool:
    """The `apply` of a rule about answers alone: requests stay as they are."""
    return False


def run_filters(filters: tuple[Filter, ...], draft: Draft) -> list[Filter]:
    """Apply those whose trigger is there; returns the ones that changed something."""
    fired: list[Filter] = []
    for item in filters:
        if _may_be_needed(item, draft) and item.apply(draft):
            draft.rules.append(item.name)
            fired.append(item)
    return fired


def _may_be_needed(item: Filter, draft: Draft) -> bool:
    """By what a rule says about itself. Runs for each rule of each call, so it looks at the agent's own bytes; only
    a value that a rule before this one changed is taken from the draft."""
    where = item.where
    if where and where in draft.changes:
        value = draft.changes[where]
        return value is not None and (not item.trigger or holds_any(value, item.trigger))
    if where and where not in draft.index.keys:
        return False
    if item.header and item.header not in draft.headers:
        return False
    return not item.trigger or draft.index.may_hold(where, item.trigger)
