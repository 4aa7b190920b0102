"""What a launch would use now, gathered without network: for `moor status`."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from moor.agents import DEFAULT_AGENT, agent_names, load_agent
from moor.cli.context import Context
from moor.domain.models import Catalogue
from moor.domain.settings import UpstreamSettings
from moor.errors import MoorError
from moor.store.catalogues import load_catalogue
from moor.store.credentials import CredentialStore


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the upstream has a credential, as far as can be seen from here."""

    ready: bool
    kind: str = ""
    user: str = ""
    until: float | None = None
    """seconds since the epoch: the end of the access token; None: not known to end"""
    renewed: bool = False
    """moor renews it by itself"""
    how: str = ""
    """one clause for people"""


class UpstreamStanding(msgspec.Struct, frozen=True, kw_only=True):
    """The upstream a launch would use."""

    name: str
    kind: str = ""
    where: str = ""
    route: str = ""
    sign_in: SignIn | None = None
    models: int | None = None
    fetched_at: float | None = None


class AgentStanding(msgspec.Struct, frozen=True, kw_only=True):
    """One agent on this machine."""

    id: str
    enabled: bool
    installed: bool
    version: str = ""
    path: str = ""
    source: str = ""


class Missing(msgspec.Struct, frozen=True):
    """Something a launch needs, and the command to type."""

    what: str
    command: str


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    version: str
    home: str
    config: str
    project_file: str
    upstream: UpstreamStanding | None
    agent: str
    model: str
    small_model: str
    budget_usd: float | None
    agents: tuple[AgentStanding, ...]
    sessions: int
    missing: tuple[Missing, ...]


def standing(ctx: Context) -> Standing:
    """Ask files, environment and processes; no network. BLOCKS on SQLite."""
    from moor.version import version_line

    defaults = ctx.loaded.settings.defaults
    missing: list[Missing] = []
    upstream = _upstream(ctx, missing)
    agent = defaults.agent or DEFAULT_AGENT
    agents = tuple(
        _agent(name, ctx, missing, needed=name == agent) for name in agent_names(ctx.loaded.settings.agents)
    )
    if upstream and upstream.kind and not defaults.model:
        missing.append(Missing("no default model", "moor models  (then: moor config set defaults.model ID)"))
    return Standing(
        version=version_line(),
        home=str(ctx.home.root),
        config=str(ctx.home.config_path) if ctx.home.config_path.exists() else "",
        project_file=str(ctx.loaded.project_path or ""),
        upstream=upstream,
        agent=agent,
        model=ctx.loaded.settings.agent(agent).model or defaults.model,
        small_model=ctx.loaded.settings.agent(agent).small_model or defaults.small_model,
        budget_usd=ctx.loaded.settings.policy.budget_usd,
        agents=agents,
        sessions=_running(ctx),
        missing=tuple(missing),
    )


def chosen_upstream(ctx: Context) -> str:
    """The default upstream, or the only one; empty when that does not decide."""
    settings = ctx.loaded.settings
    if settings.defaults.upstream:
        return settings.defaults.upstream
    return next(iter(settings.upstreams)) if len(settings.upstreams) == 1 else ""


def _upstream(ctx: Context, missing: list[Missing]) -> UpstreamStanding | None:
    known = ctx.loaded.settings.upstreams
    name = chosen_upstream(ctx)
    if not known:
        missing.append(Missing("no upstream is set up", "moor login --host https://YOUR-WORKSPACE"))
        return None
    if not name:
        missing.append(Missing("several upstreams, none is the default", f"moor upstream use {next(iter(known))}"))
        return None
    settings = known.get(name)
    if settings is None:
        missing.append(Missing(f"there is no upstream {name!r}", "moor upstream list"))
        return UpstreamStanding(name=name)
    catalogue = load_catalogue(ctx.home, name)
    sign_in = _sign_in(name, settings, ctx)
    if not sign_in.ready:
        missing.append(Missing(f"{name}: {sign_in.how}", _sign_in_command(name, settings)))
    return UpstreamStanding(
        name=name,
        kind=settings.kind,
        where=settings.host or settings.base_url,
        route=_route(settings, catalogue),
        sign_in=sign_in,
        models=len(catalogue.models) if catalogue else (len(settings.models) or None),
        fetched_at=catalogue.fetched_at if catalogue else None,
    )


def _sign_in(name: str, settings: UpstreamSettings, ctx: Context) -> SignIn:
    from moor.upstreams import open_upstream

    try:
        needed = open_upstream(name, settings, ctx.home, ctx.environ, ctx.clock).needs_sign_in()
    except MoorError as error:
        return SignIn(ready=False, how=error.message)
    if settings.api_key_env:
        return SignIn(ready=not needed, how=f"key from ${settings.api_key_env}" + (", which is not set" * needed))
    stored = CredentialStore(ctx.home).load(name)
    if stored is None:
        how = "not signed in" if needed else "asked for when needed"
        return SignIn(ready=not needed, kind=settings.auth, how=how)
    renewed = stored.refresh_token is not None
    ended = not renewed and stored.expires_at is not None and stored.expires_at <= ctx.clock.now()
    return SignIn(
        ready=not needed and not ended,
        kind=stored.kind,
        user=stored.user,
        until=stored.expires_at,
        renewed=renewed,
        how="the sign-in has ended" if needed or ended else "signed in",
    )


def _sign_in_command(name: str, settings: UpstreamSettings) -> str:
    return f"export {settings.api_key_env}=…" if settings.api_key_env else f"moor login --upstream {name}"


def _route(settings: UpstreamSettings, catalogue: Catalogue | None) -> str:
    if catalogue and catalogue.route:
        return catalogue.route
    return settings.route if settings.host or settings.profile else ""


def _agent(agent_id: str, ctx: Context, missing: list[Missing], *, needed: bool) -> AgentStanding:
    group = ctx.loaded.settings.agent(agent_id)
    if not group.enabled:
        if needed:
            missing.append(Missing(f"{agent_id} is switched off", f"moor agents enable {agent_id}"))
        return AgentStanding(id=agent_id, enabled=False, installed=False)
    try:
        found = load_agent(agent_id, ctx.loaded.settings.agents).find(ctx.home, ctx.environ, use_path=group.use_path)
    except MoorError as error:
        if needed:
            missing.append(Missing(error.message, error.hint))
        return AgentStanding(id=agent_id, enabled=True, installed=False)
    return AgentStanding(
        id=agent_id, enabled=True, installed=True, version=found.version, path=found.path, source=found.source
    )


def _running(ctx: Context) -> int:
    from moor.cli.sessions import seen_sessions

    return len(seen_sessions(ctx.home, ctx.clock))


def as_json(found: Standing) -> dict[str, Any]:
    """The documented form: the struct's own fields."""
    plain: dict[str, Any] = msgspec.to_builtins(found)
    return plain


def local_time(at: float) -> str:
    """`2026-11-20 14:05`, local."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
