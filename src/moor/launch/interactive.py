"""Handing the terminal over: bind, start the gateway, exec the agent (design, section 4)."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NoReturn

from moor.domain.plan import LaunchPlan
from moor.domain.session import TERMINAL
from moor.errors.launch import LaunchFailed
from moor.launch.files import write_files
from moor.launch.gateway import bind_loopback, start_gateway
from moor.launch.once import run_once
from moor.launch.prepare import Prepared


def hand_over(prepared: Prepared, announce: Callable[[LaunchPlan], None]) -> NoReturn:
    """Become the agent. Terminal, job control, signals and exit code are its own from here.

    `announce` is shown the plan last, while the terminal is still ours.

    Raises LaunchFailed; the gateway ends by itself then, because it watches this process.
    """
    listener, url = bind_loopback()
    context, plan = prepared.plan(url, TERMINAL)
    start_gateway(prepared, listener, url)
    # after it: from here on there is a row and a gateway, so that a kill leaves no folder that nobody knows of
    write_files(plan, context.session_home)
    run_once(plan, prepared.agent.id)
    announce(plan)
    try:
        os.chdir(plan.cwd)
        os.execve(plan.argv[0], list(plan.argv), plan.env)  # noqa: S606 - no shell is the point
    except OSError as error:
        raise LaunchFailed(agent=prepared.agent.id, path=plan.argv[0], why=error.strerror or str(error)) from error
