"""Everything that is decided before anything is started. No network on a warm launch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from moor.agents import load_agent
from moor.agents.base import Agent, Installed, LaunchContext
from moor.agents.trust import is_trusted
from moor.clock import Clock
from moor.domain.ids import SESSION, new_id
from moor.domain.models import NANO
from moor.domain.plan import LaunchPlan
from moor.domain.policy import PolicyLayer
from moor.domain.session import TERMINAL, Session
from moor.errors.launch import AgentDisabled, NoSuchDirectory
from moor.launch.caps import family_of, session_caps
from moor.launch.choose import Chosen, choose_models, elsewhere
from moor.launch.environment import agent_environment
from moor.launch.place import login_name
from moor.secrets import Secret, key_hash, new_key
from moor.upstreams import open_upstream

if TYPE_CHECKING:
    from moor.store.home import Home
    from moor.store.settings import Loaded
    from moor.upstreams.base import Upstream


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asked for."""

    agent: str
    upstream: str
    args: tuple[str, ...] = ()
    cwd: str = ""
    """empty: where moor stands"""
    seen: str = TERMINAL
    budget_usd: float | None = None
    budget_tokens: int | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    effort: str = ""
    """beats the agent's settings"""


class Prepared:
    """A launch that only needs a gateway to listen."""

    def __init__(
        self, home: Home, loaded: Loaded, environ: Mapping[str, str], agent: Agent, installed: Installed
    ) -> None:
        self.home = home
        self.loaded = loaded
        self.environ = environ
        self.agent = agent
        self.installed = installed
        self.upstream: Upstream
        self.chosen: Chosen
        self.session: Session
        self.key: Secret = new_key()
        self.args: tuple[str, ...] = ()
        self.effort = ""

    def context(self, gateway_url: str, mode: str) -> LaunchContext:
        """What the adapter is handed, once the gateway's address is known."""
        settings = self.loaded.settings
        group = settings.agent(self.agent.id)
        environ = agent_environment(self.environ, settings, group, self.session.id, self.session.cwd)
        return LaunchContext(
            session=self.session,
            installed=self.installed,
            gateway_url=gateway_url,
            key=self.key,
            model=self.chosen.main,
            small_model=self.chosen.small,
            models=self.chosen.allowed,
            slots=self.chosen.slots,
            fallback=self.chosen.fallback,
            effort=self.effort or group.effort,
            settings=group,
            home=self.home.root / "homes" / self.agent.id,
            session_home=self.home.sessions_dir / self.session.id,
            user_home=Path(self.environ.get("HOME") or Path.home()),
            environ=environ,
            args=(*group.args, *self.args),
            mode=mode,
            trusted=is_trusted(self.home, self.session.cwd, settings.agents),
        )

    def plan(self, gateway_url: str, mode: str) -> tuple[LaunchContext, LaunchPlan]:
        """The adapter's plan for this launch."""
        context = self.context(gateway_url, mode)
        return context, self.agent.plan(context)


def prepare(home: Home, loaded: Loaded, environ: Mapping[str, str], clock: Clock, request: Request) -> Prepared:
    """Choose agent, upstream, models and policy, and name the session. Raises MoorError; starts nothing."""
    agent = load_agent(request.agent, loaded.settings.agents)
    group = loaded.settings.agent(agent.id)
    if not group.enabled:
        raise AgentDisabled(agent=agent.id)
    cwd = working_directory(request.cwd, environ)
    installed = agent.find(home, dict(environ), use_path=group.use_path)
    prepared = Prepared(home, loaded, environ, agent, installed)
    prepared.args = request.args
    prepared.effort = request.effort
    settings = loaded.settings.upstreams[request.upstream]
    prepared.upstream = open_upstream(request.upstream, settings, home, dict(environ), clock)
    policy = loaded.policy.narrowed(PolicyLayer("session", request.allow, request.deny))
    prepared.chosen = choose_models(loaded, prepared.upstream.catalogue(), policy, agent.id, agent.dialects)
    session_id = new_id(SESSION, clock.now())
    family = family_of(home, environ)
    upstreams = {request.upstream, *(elsewhere(name, loaded) for name in group.fallback)} - {""}
    prepared.session = Session(
        id=session_id,
        agent=agent.id,
        cwd=cwd,
        upstream=request.upstream,
        model=prepared.chosen.main.id,
        small_model=prepared.chosen.small.id,
        fallback=group.fallback,
        seen=request.seen,
        policy=policy,
        parent=family.parent,
        budget_nano=_budget(loaded, request),
        caps=session_caps(loaded, request, session_id, family, upstreams),
        user=login_name(environ),
        watch=loaded.watch,
        traits=agent.traits(prepared.installed.version),
        key_hash=key_hash(prepared.key.reveal()),
        tags={**request.tags, **family.tags},
        created_at=clock.now(),
    )
    return prepared


def working_directory(wanted: str, environ: Mapping[str, str]) -> str:
    """The directory to work in, as the user's shell spells it where that is the same place."""
    path = Path(wanted).expanduser() if wanted else Path.cwd()
    if not path.is_dir():
        raise NoSuchDirectory(path=str(path))
    shell = environ.get("PWD", "")
    if not wanted and os.path.isabs(shell) and _same(shell, path):  # noqa: PTH117 - a string test
        return shell
    return str(path.resolve())


def _same(left: str, right: Path) -> bool:
    try:
        return right.samefile(left)
    except OSError:
        return False


def _budget(loaded: Loaded, request: Request) -> int | None:
    """The smaller of the flag and the policy, in nano-dollars."""
    caps = [cap for cap in (request.budget_usd, loaded.settings.policy.budget_usd) if cap is not None]
    return round(min(caps) * NANO) if caps else None
