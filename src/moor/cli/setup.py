"""The first run: where models are, sign-in, models. Also what `login` and `upstream add` end with."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.domain.models import Catalogue
    from moor.domain.settings import UpstreamSettings
    from moor.upstreams.base import Upstream
    from moor.upstreams.enrol import Enrolled
    from moor.workspace.signin import Conversation


def ensure_upstream(ctx: Context) -> str:
    """Name of the upstream to use, ready as far as can be seen without network.

    On a terminal what is missing is asked for: an upstream, a sign-in. Without one: NoUpstream,
    NoDefaultUpstream (exit 2), SignInNeeded (exit 3). A list of models that was never fetched is fetched.
    """
    from moor.upstreams import default_name, open_upstream, upstream_settings

    settings = ctx.loaded.settings
    if not settings.upstreams and not settings.defaults.upstream and ctx.interactive:
        return first_upstream(ctx)
    name = default_name(settings)
    found = upstream_settings(name, settings)
    upstream = open_upstream(name, found, ctx.home, ctx.environ, ctx.clock)
    if upstream.needs_sign_in():
        _sign_in_now(ctx, upstream, found)
    _fetch_if_missing(ctx, upstream)
    return name


def first_upstream(ctx: Context) -> str:
    """The short set-up on a terminal. Raises MoorError, and NoUpstream when nothing is chosen."""
    from moor.errors.upstream import NoUpstream

    ctx.out.say("moor needs to know where models are:")
    ctx.out.say("  1  a Databricks workspace      (its address, then a sign-in in the browser)")
    ctx.out.say("  2  an OpenAI-compatible engine (vLLM, Ollama, LM Studio: its address up to /v1)")
    ctx.out.say("  3  the built-in simulator      (no account; a scripted model, to look around)")
    answer = ask("1, 2, 3 or an address: ").strip()
    if answer == "3":
        return _add_simulator(ctx)
    if answer == "2":
        return _add_engine(ctx, ask("address of the engine, e.g. http://127.0.0.1:11434/v1: "))
    if answer == "1":
        answer = ask("address of the workspace, e.g. https://my-workspace.cloud.databricks.com: ").strip()
    if not answer:
        raise NoUpstream
    return _add_engine(ctx, answer) if answer.rstrip("/").endswith("/v1") else _add_workspace(ctx, answer)


def ask(question: str) -> str:
    """One line from the terminal, the question on stderr. An ended input cancels."""
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise KeyboardInterrupt
    return line.strip()


def conversation(ctx: Context, *, browser: bool = True) -> Conversation:
    """How a sign-in speaks here: on stderr even with --quiet, for its address must be seen."""
    from moor.workspace.signin import Conversation

    def say(text: str) -> None:
        print(text, file=ctx.out.stderr, flush=True)

    return Conversation(say, sys.stdin if ctx.interactive or not browser else None, browser)


def enrol(ctx: Context, upstream: Upstream, settings: UpstreamSettings) -> int:
    """Fetch the models, write the settings, tell what was done and what to type next."""
    from moor.errors import MoorError
    from moor.upstreams.enrol import record

    catalogue: Catalogue | None = None
    problem: MoorError | None = None
    try:
        catalogue = upstream.refresh_catalogue()
    except MoorError as error:
        problem = error
    enrolled = record(ctx.home, ctx.loaded, upstream.name, settings, catalogue)
    ctx.__dict__.pop("loaded", None)
    if problem is not None:
        ctx.out.say(f"upstream {upstream.name} is kept, but its models could not be fetched")
        raise problem
    if catalogue is not None:
        tell(ctx, enrolled, settings, catalogue)
    return 0


def tell(ctx: Context, enrolled: Enrolled, settings: UpstreamSettings, catalogue: Catalogue) -> None:
    """User, workspace, models, defaults, next command."""
    where = settings.host or settings.base_url or "the built-in simulator"
    whom = f" as {catalogue.user}" if catalogue.user else ""
    number = f", workspace {catalogue.workspace_id}" if catalogue.workspace_id and settings.host else ""
    ctx.out.say(f"{enrolled.name}: {where}{whom}{number}")
    ready = sum(1 for model in catalogue.models if model.ready is not False)
    route = f" over route {catalogue.route}" if catalogue.route else ""
    ctx.out.say(f"{ready} models{route}" + ("; default upstream now" if enrolled.became_default else ""))
    for reason in catalogue.reasons:
        ctx.out.detail(f"not asked in full: {reason}")
    if enrolled.model:
        ctx.out.say(f"default model {enrolled.model}, for small tasks {enrolled.small_model}")
    _warn_of_lost_defaults(ctx, enrolled, catalogue)
    ctx.out.say('next: moor opencode, or moor run "…", or moor models')


def _warn_of_lost_defaults(ctx: Context, enrolled: Enrolled, catalogue: Catalogue) -> None:
    defaults = ctx.loaded.settings.defaults
    if defaults.upstream != enrolled.name:
        return
    for key, model_id in (("model", defaults.model), ("small_model", defaults.small_model)):
        if model_id and catalogue.find(model_id) is None:
            ctx.out.warn(f"the default {key} {model_id} is not served there; moor config set defaults.{key} ID")


def _sign_in_now(ctx: Context, upstream: Upstream, settings: UpstreamSettings) -> None:
    from moor.errors.auth import SignInNeeded

    if not ctx.interactive and not settings.api_key_env:
        raise SignInNeeded(upstream.name, "nobody is signed in")
    upstream.sign_in(conversation(ctx))
    enrol(ctx, upstream, settings)


def _fetch_if_missing(ctx: Context, upstream: Upstream) -> None:
    from moor.errors.upstream import CatalogueMissingError

    try:
        upstream.catalogue()
    except CatalogueMissingError:
        ctx.out.say(f"asking {upstream.name} for its models")
        upstream.refresh_catalogue()


def _add_workspace(ctx: Context, address: str) -> str:
    from moor.upstreams import open_upstream
    from moor.upstreams.adding import workspace_settings
    from moor.upstreams.enrol import name_for
    from moor.workspace.address import workspace_address

    found = workspace_address(address)
    name = name_for(found.url, tuple(ctx.loaded.settings.upstreams))
    settings = workspace_settings(found)
    upstream = open_upstream(name, settings, ctx.home, ctx.environ, ctx.clock)
    upstream.sign_in(conversation(ctx))
    enrol(ctx, upstream, settings)
    return name


def _add_engine(ctx: Context, address: str) -> str:
    from moor.upstreams import open_upstream
    from moor.upstreams.adding import engine_settings
    from moor.upstreams.enrol import name_for

    variable = ask("environment variable that holds its key (empty: it needs none): ")
    settings = engine_settings(address.rstrip("/"), variable.lstrip("$"))
    name = name_for(settings.base_url, tuple(ctx.loaded.settings.upstreams))
    upstream = open_upstream(name, settings, ctx.home, ctx.environ, ctx.clock)
    enrol(ctx, upstream, settings)
    return name


def _add_simulator(ctx: Context) -> str:
    from moor.upstreams import open_upstream
    from moor.upstreams.adding import SIMULATOR_NAME, simulator_settings

    settings = simulator_settings()
    upstream = open_upstream(SIMULATOR_NAME, settings, ctx.home, ctx.environ, ctx.clock)
    enrol(ctx, upstream, settings)
    return SIMULATOR_NAME
