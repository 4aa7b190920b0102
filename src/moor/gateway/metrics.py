"""What the stand-alone gateway tells Prometheus: calls, tokens, money, waits. Loaded by it alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from moor.domain.models import NANO

if TYPE_CHECKING:
    from moor.domain.call import Call

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_WHICH: Final = ("key", "upstream", "model")
_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_MAX_MODELS: Final = 500
"""a client can name any model in a call that is refused: beyond this many they are counted as one"""


class Metrics:
    """One registry of its own; `observe` for each row, `render` for each scrape."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self._calls = Counter("moor_calls", "Calls by outcome", (*_WHICH, "outcome"), registry=registry)
        self._tokens = Counter("moor_tokens", "Tokens by kind", (*_WHICH, "kind"), registry=registry)
        self._cost = Counter("moor_cost_dollars", "Cost of calls with a known price", _WHICH, registry=registry)
        self._limited = Counter("moor_limited", "Calls refused by a limit of their key", ("key",), registry=registry)
        self._first = Histogram(
            "moor_first_byte_seconds",
            "Until the first byte of an answer",
            _WHICH,
            buckets=_SECONDS,
            registry=registry,
        )
        self._whole = Histogram(
            "moor_call_seconds", "Until the end of an answer", _WHICH, buckets=_SECONDS, registry=registry
        )
        self.running = Gauge("moor_calls_running", "Calls under way", registry=registry)
        self.connections = Gauge("moor_connections", "Clients connected", registry=registry)
        self._models: set[str] = set()

    def observe(self, call: Call) -> None:
        """Count a finished call."""
        which = (call.agent, call.upstream, self._model(call.model))
        self._calls.labels(*which, call.outcome).inc()
        for kind in ("input", "output", "cache_read", "cache_write", "reasoning"):
            if tokens := getattr(call.usage, kind):
                self._tokens.labels(*which, kind).inc(tokens)
        if call.cost_nano:
            self._cost.labels(*which).inc(call.cost_nano / NANO)
        if call.first_byte_ms is not None:
            self._first.labels(*which).observe(call.first_byte_ms / 1000)
            self._whole.labels(*which).observe(call.duration_ms / 1000)

    def limited(self, key: str) -> None:
        """Count a call that its key's limit refused."""
        self._limited.labels(key).inc()

    def render(self) -> bytes:
        """The text form of all of it."""
        return generate_latest(self._registry)

    def _model(self, name: str) -> str:
        if name not in self._models:
            if len(self._models) >= _MAX_MODELS:
                return "other"
            self._models.add(name)
        return name
