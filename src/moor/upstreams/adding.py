"""Settings of new upstreams, by what a person says. The kinds' names stay in their own files."""

from __future__ import annotations

from typing import Final

from moor.domain.settings import UpstreamSettings
from moor.upstreams.databricks import KIND as WORKSPACE
from moor.upstreams.openai import KIND as ENGINE
from moor.upstreams.sim import KIND as SIMULATOR
from moor.workspace.address import Address
from moor.workspace.kinds import OAUTH

SIMULATOR_NAME: Final = SIMULATOR
"""the name under which the set-up adds the built-in simulator"""


def workspace_settings(address: Address, *, auth: str = "", profile: str = "") -> UpstreamSettings:
    """A workspace; OAuth is the default and not written."""
    return UpstreamSettings(
        kind=WORKSPACE,
        host=address.url,
        workspace_id=address.workspace_id,
        auth="" if auth == OAUTH else auth,
        profile=profile,
    )


def engine_settings(base_url: str, api_key_env: str = "", models: tuple[str, ...] = ()) -> UpstreamSettings:
    """An OpenAI-compatible engine."""
    return UpstreamSettings(kind=ENGINE, base_url=base_url, api_key_env=api_key_env, models=models)


def simulator_settings(host: str = "") -> UpstreamSettings:
    """The simulator: a running one, or one of its own for each session."""
    return UpstreamSettings(kind=SIMULATOR, host=host)


def has_host(settings: UpstreamSettings, url: str) -> bool:
    """Whether these are the settings of the workspace (or simulator) at that address."""
    return bool(settings.host) and settings.host.rstrip("/") == url
