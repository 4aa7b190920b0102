"""`moor status`: what a launch would use now, and what runs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.cli.standing import AgentStanding, SignIn, Standing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `moor status`."""
    parser.add_argument("--check", action="store_true", help="also ask the upstream, over the network")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Gather, ask the upstream where wanted, print. Exit code of the check's error, else 0."""
    from moor.cli.standing import as_json, standing

    found = standing(ctx)
    check, code = _check(ctx) if args.check else (None, 0)
    if args.json:
        ctx.out.json({**as_json(found), "check": check})
        return code
    width = 12
    for label, text in _lines(found):
        ctx.out.result(f"{ctx.out.paint(label.ljust(width), 'dim')}{text}")
    if check:
        ctx.out.result(f"{ctx.out.paint('check'.ljust(width), 'dim')}{check['text']}")
    for one in found.missing:
        ctx.out.result(f"{ctx.out.paint('missing'.ljust(width), 'yellow')}{one.what}: {one.command}")
    return code


def _check(ctx: Context) -> tuple[dict[str, Any], int]:
    """What the upstream answers to a listing of its models; the error is part of the answer."""
    from moor.cli.standing import chosen_upstream
    from moor.errors import MoorError
    from moor.errors.upstream import NoUpstream
    from moor.upstreams import open_upstream, upstream_settings

    try:
        name = chosen_upstream(ctx)
        if not name:
            raise NoUpstream
        settings = upstream_settings(name, ctx.loaded.settings)
        upstream = open_upstream(name, settings, ctx.home, ctx.environ, ctx.clock)
        try:
            upstream.prepare()
            models = len(upstream.refresh_catalogue().models)
        finally:
            upstream.close()
    except MoorError as error:
        text = f"{error.ref}: {error.message}" + (f"; {error.hint}" if error.hint else "")
        return {"ok": False, "ref": error.ref, "text": text}, int(error.exit_code)
    return {"ok": True, "ref": "", "text": f"{name} answers; {models} models"}, 0


def _lines(found: Standing) -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = [("version", found.version), ("home", found.home)]
    if found.project_file:
        lines.append(("project", found.project_file))
    upstream = found.upstream
    if upstream is not None and upstream.kind:
        about = ", ".join(part for part in (upstream.kind, upstream.where) if part)
        lines.append(("upstream", f"{upstream.name} ({about})"))
        if upstream.sign_in is not None:
            lines.append(("sign-in", _sign_in(upstream.sign_in)))
        if upstream.route:
            lines.append(("route", upstream.route))
        lines.append(("models", _models(upstream.models, upstream.fetched_at)))
    lines += [("agent", found.agent), ("model", _model(found))]
    if found.budget_usd is not None:
        lines.append(("budget", f"${found.budget_usd:g} a session"))
    lines += [("installed", _installed(one)) for one in found.agents]
    lines.append(("sessions", f"{found.sessions} running" + (" (moor ps)" if found.sessions else "")))
    return lines


def _sign_in(sign_in: SignIn) -> str:
    from moor.cli.standing import local_time

    text = sign_in.how
    if sign_in.user:
        text += f" as {sign_in.user}"
    if sign_in.kind:
        text += f" ({sign_in.kind})"
    if sign_in.until is not None:
        end = local_time(sign_in.until)
        text += f"; token until {end}, renewed by moor" if sign_in.renewed else f"; until {end}"
    return text


def _models(count: int | None, fetched_at: float | None) -> str:
    from moor.cli.standing import local_time

    if count is None:
        return "not fetched yet (moor models --refresh)"
    return f"{count}" + (f", listed {local_time(fetched_at)}" if fetched_at else "")


def _model(found: Standing) -> str:
    small = f", small: {found.small_model}" if found.small_model else ""
    return f"{found.model or '-'}{small}"


def _installed(one: AgentStanding) -> str:
    if not one.enabled:
        return f"{one.id}: switched off"
    if not one.installed:
        return f"{one.id}: no"
    return f"{one.id} {one.version} ({one.path})"
