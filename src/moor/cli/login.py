"""`moor login`: sign in to a workspace, or renew; creates the upstream when its address is new."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.domain.settings import UpstreamSettings
    from moor.secrets import Secret


_MAX_TOKEN: Final = 16 * 1024
"""longer is a file that was piped in by mistake"""


class Wanted(NamedTuple):
    """What is to be signed in to."""

    name: str
    settings: UpstreamSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `moor login`."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--host", metavar="URL", help="address of the workspace")
    where.add_argument("--profile", metavar="P", help="workspace of a profile in ~/.databrickscfg")
    parser.add_argument("--upstream", metavar="NAME", help="upstream to renew, or the name for a new one")
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--pat",
        action="store_true",
        help="use a personal access token: of the profile, DATABRICKS_TOKEN, typed, or piped in",
    )
    how.add_argument(
        "--service-principal",
        action="store_true",
        help="use DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET at each start",
    )
    how.add_argument("--cli", action="store_true", help="take tokens from the Databricks CLI")
    parser.add_argument("--ca-file", metavar="PEM", help="further certificate authorities, e.g. of a company proxy")
    parser.add_argument(
        "--no-browser", action="store_true", help="print the address and take the answer pasted (for SSH)"
    )


def run(args: argparse.Namespace, ctx: Context) -> int:
    """Sign in, fetch the models, write the settings."""
    from moor.cli.inside import refuse_inside
    from moor.cli.setup import conversation, enrol, first_upstream
    from moor.upstreams import open_upstream
    from moor.workspace.kinds import PAT

    refuse_inside(ctx, "moor login")
    wanted = _wanted(args, ctx)
    if wanted is None:
        first_upstream(ctx)
        return 0
    if args.ca_file:
        wanted = wanted._replace(
            settings=msgspec.structs.replace(wanted.settings, ca_file=_absolute(args.ca_file, ctx))
        )
    upstream = open_upstream(wanted.name, wanted.settings, ctx.home, ctx.environ, ctx.clock)
    if wanted.settings.auth == PAT and not wanted.settings.profile:
        token, where = read_token(ctx, wanted.settings.host)
        upstream.take_token(token, where)
    else:
        upstream.sign_in(conversation(ctx, browser=not args.no_browser))
    return enrol(ctx, upstream, wanted.settings)


def read_token(ctx: Context, host: str) -> tuple[Secret, str]:
    """The token and where it came from: environment, else typed without echo, else the piped input.

    Never from argv. DATABRICKS_TOKEN counts only where DATABRICKS_HOST does not name another host.
    """
    from moor.errors.auth import TokenMissing
    from moor.workspace.address import workspace_address

    named = ctx.environ.get("DATABRICKS_HOST", "")
    token = ctx.environ.get("DATABRICKS_TOKEN", "").strip()
    if token and (not named or workspace_address(named).url == host):
        return _checked(token, "DATABRICKS_TOKEN")
    if sys.stdin.isatty():
        import getpass

        token, where = getpass.getpass(f"personal access token for {host} (not shown): ").strip(), "the terminal"
    else:
        token, where = sys.stdin.readline(_MAX_TOKEN).strip(), "standard input"
    if not token:
        raise TokenMissing(where, f"DATABRICKS_TOKEN=… moor login --host {host} --pat, or pipe the token in")
    return _checked(token, where)


def _checked(token: str, where: str) -> tuple[Secret, str]:
    """The token, if a header can hold it. Raises TokenMalformed."""
    from moor.errors.auth import TokenMalformed
    from moor.secrets import Secret

    if not token.isascii() or not token.isprintable() or " " in token or len(token) >= _MAX_TOKEN:
        raise TokenMalformed(where)
    return Secret(token), where


def _absolute(path: str, ctx: Context) -> str:
    """As the settings keep it: they are read from any directory."""
    return str((ctx.cwd / Path(path).expanduser()).resolve())


def _wanted(args: argparse.Namespace, ctx: Context) -> Wanted | None:
    """None: nothing is set up and the person at the terminal is to be asked."""
    from moor.cli.setup import ask
    from moor.errors.upstream import NoDefaultUpstream, NoUpstream

    host = _host(args, ctx)
    if host:
        return _by_host(args, ctx, host)
    known = ctx.loaded.settings.upstreams
    name = args.upstream or ctx.loaded.settings.defaults.upstream
    if name:
        return _renewed(args, ctx, name)
    if len(known) == 1:
        return _renewed(args, ctx, next(iter(known)))
    if known:
        raise NoDefaultUpstream(tuple(known))
    if not ctx.interactive:
        raise NoUpstream
    return _by_host(args, ctx, ask("address of the workspace: ")) if _way(args) else None


def _host(args: argparse.Namespace, ctx: Context) -> str:
    if args.profile is not None:
        from moor.workspace.cfgfile import load_profile

        return load_profile(ctx.environ, args.profile).host
    if args.host is not None:
        return str(args.host)
    new = not args.upstream and not ctx.loaded.settings.upstreams
    return ctx.environ.get("DATABRICKS_HOST", "") if new and _way(args) else ""


def _way(args: argparse.Namespace) -> str:
    """The `auth` setting that the options ask for; empty: not said."""
    from moor.workspace.kinds import CLI, M2M, PAT

    if args.pat:
        return PAT
    if args.service_principal:
        return M2M
    return CLI if args.cli else ""


def _renewed(args: argparse.Namespace, ctx: Context, name: str) -> Wanted:
    from moor.upstreams import upstream_settings

    settings = upstream_settings(name, ctx.loaded.settings)
    way = _way(args)
    return Wanted(name, msgspec.structs.replace(settings, auth=way, profile="") if way else settings)


def _by_host(args: argparse.Namespace, ctx: Context, host: str) -> Wanted:
    """The upstream that has this address already, else a new one."""
    from moor.errors.upstream import UpstreamExists
    from moor.upstreams.adding import has_host, workspace_settings
    from moor.upstreams.enrol import check_name, name_for
    from moor.workspace.address import workspace_address
    from moor.workspace.kinds import CLI, PAT

    address = workspace_address(host)
    known = ctx.loaded.settings.upstreams
    way = _way(args)
    given = args.profile or ""
    profile = given if way in (PAT, CLI) else ""
    for name, settings in known.items():
        if has_host(settings, address.url) and args.upstream in (None, name):
            return Wanted(name, msgspec.structs.replace(settings, auth=way, profile=profile))
    if args.upstream in known:
        raise UpstreamExists(args.upstream)
    name = check_name(args.upstream) if args.upstream else name_for(address.url, tuple(known), given)
    return Wanted(name, workspace_settings(address, auth=way, profile=profile))
