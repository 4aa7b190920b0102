"""Kinds of upstream: one file each, one line here. Loaded when one is opened."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final, NamedTuple

from moor.errors.upstream import NoDefaultUpstream, NoUpstream, UnknownUpstream, UpstreamInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from moor.clock import Clock
    from moor.domain.settings import Settings, UpstreamSettings
    from moor.store.home import Home
    from moor.upstreams.base import Upstream


class Entry(NamedTuple):
    """Import string of the class, and one line for help and docs."""

    target: str
    summary: str


UPSTREAMS: Final[dict[str, Entry]] = {
    "databricks": Entry("moor.upstreams.databricks:DatabricksUpstream", "a Databricks workspace"),
    "openai": Entry("moor.upstreams.openai:OpenAiUpstream", "OpenAI's API, or any engine that speaks like it"),
    "anthropic": Entry("moor.upstreams.anthropic:AnthropicUpstream", "Anthropic's API, or what speaks like it"),
    "gemini": Entry("moor.upstreams.gemini:GeminiUpstream", "Google's Gemini API, or what speaks like it"),
    "sim": Entry("moor.upstreams.sim:SimUpstream", "the built-in simulated workspace"),
}


def open_upstream(
    name: str, settings: UpstreamSettings, home: Home, environ: Mapping[str, str], clock: Clock
) -> Upstream:
    """The upstream of these settings; no network, nothing started.

    `environ` is where keys, proxies and CA files are looked up. Raises UpstreamInvalid, BadUrl, PlaintextRefused.
    """
    entry = UPSTREAMS.get(settings.kind)
    if entry is None:
        import difflib

        close = difflib.get_close_matches(settings.kind, UPSTREAMS, n=1)
        hint = f"did you mean kind = {close[0]!r}" if close else f"kinds: {', '.join(UPSTREAMS)}"
        raise UpstreamInvalid(name, f"there is no kind {settings.kind!r}", hint=hint)
    module, _, attribute = entry.target.partition(":")
    upstream: Upstream = getattr(importlib.import_module(module), attribute)(name, settings, home, environ, clock)
    return upstream


def upstream_settings(name: str, settings: Settings) -> UpstreamSettings:
    """The settings of the upstream of that name; raises UnknownUpstream."""
    found = settings.upstreams.get(name)
    if found is None:
        raise UnknownUpstream(name, tuple(settings.upstreams))
    return found


def default_name(settings: Settings) -> str:
    """The default upstream, or the only one. Raises NoUpstream, NoDefaultUpstream."""
    if settings.defaults.upstream:
        return settings.defaults.upstream
    if not settings.upstreams:
        raise NoUpstream
    if len(settings.upstreams) > 1:
        raise NoDefaultUpstream(tuple(settings.upstreams))
    return next(iter(settings.upstreams))
