"""`moor` alone: the set-up the first time, the default agent afterwards."""

from __future__ import annotations

from moor.cli.context import Context
from moor.cli.head import Head


def run_bare(head: Head, ctx: Context) -> int:
    """Set up where nothing is set up; start the default agent where a terminal is; else print the help."""
    from moor.agents import DEFAULT_AGENT
    from moor.cli.launch import run_agent
    from moor.cli.setup import ensure_upstream

    fresh = not ctx.loaded.settings.upstreams
    ensure_upstream(ctx)
    agent = ctx.loaded.settings.defaults.agent or DEFAULT_AGENT
    if fresh or not ctx.interactive:
        ctx.out.say(f'ready: moor {agent} starts it here, moor run "…" runs one prompt, moor --help lists the rest')
        return 0
    return run_agent(agent, [], head, ctx)
