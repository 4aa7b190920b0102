"""What an upstream serves: models, prices, and where a call to one goes."""

from __future__ import annotations

import msgspec

NANO = 1_000_000_000
"""Nano-dollars in a dollar. Money is an integer number of nano-dollars everywhere."""


class Price(msgspec.Struct, frozen=True):
    """Nano-dollars per million tokens, by token kind, with where and when it was stated."""

    input: int
    output: int
    cache_read: int
    cache_write: int
    source: str
    """`workspace`, `config`, `administrator`, or the name of the built-in table"""
    date: str
    """ISO date of the statement; empty where none was given"""
    cache_write_1h: int | None = None
    """of a cache that is kept for an hour; None where nobody states it"""

    @property
    def hour(self) -> int:
        """Of a cache write for an hour: where nobody states it twice the input, as Anthropic charges, or more."""
        return max(self.cache_write, 2 * self.input) if self.cache_write_1h is None else self.cache_write_1h


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model of one upstream."""

    id: str
    """exactly as it is sent on the wire"""
    family: str
    """claude, gpt, gemini, or the open model's own family name"""
    dialects: tuple[str, ...]
    """the dialects its upstream serves it in, best first"""
    context: int | None = None
    """context window in tokens; None where unknown"""
    max_output: int | None = None
    """largest accepted output limit in tokens; None where unknown"""
    price: Price | None = None
    ready: bool | None = None
    """None where the upstream does not say"""
    reasoning: bool = False
    attachment: bool = False
    """takes images and files"""
    display_name: str = ""
    source: str = ""
    """the listing it was found in"""


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """What was found at an upstream, when, and what could not be asked."""

    upstream: str
    models: tuple[Model, ...]
    fetched_at: float = 0.0
    """seconds since the epoch; 0 for a list that stands in the config"""
    route: str = ""
    """the route form that was probed (`gateway`, `gateway-host`, `serving`); empty where there is one only"""
    workspace_id: str = ""
    user: str = ""
    """who the credential belongs to, where the upstream says"""
    reasons: tuple[str, ...] = ()
    """one sentence per listing that failed or was cut"""

    def find(self, model_id: str) -> Model | None:
        """The model of that exact id."""
        return next((model for model in self.models if model.id == model_id), None)


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where one call goes. Built from dialect and validated model id, never from the client's path."""

    scheme: str
    host: str
    port: int
    path: str
    """absolute path with query"""
    auth: str = "bearer"
    """how the credential is put on: `bearer`, `x-api-key`, `x-goog-api-key` or `none`"""
    headers: tuple[tuple[str, str], ...] = ()
    """static headers of the upstream, e.g. the workspace id"""
