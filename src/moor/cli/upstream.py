"""`moor upstream list|add|remove|show|use`: places that serve models."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.domain.models import Catalogue
    from moor.domain.settings import UpstreamSettings

_OPTIONS = (
    # option, metavar, help; each is a setting of the same name
    ("--host", "URL", "address of the workspace, or of a running simulator"),
    ("--profile", "P", "profile in ~/.databrickscfg that holds the token"),
    ("--auth", "WAY", "oauth, pat, cli or m2m"),
    ("--route", "FORM", "auto, gateway, gateway-host or serving"),
    ("--gateway-host", "URL", "host of the older gateway form"),
    ("--workspace-id", "ID", "number of the workspace"),
    ("--base-url", "URL", "address of an engine up to and including /v1"),
    ("--api-key-env", "NAME", "environment variable that holds the engine's key"),
    ("--ca-file", "PEM", "further certificate authorities"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Actions of `moor upstream`."""
    from moor.upstreams import UPSTREAMS

    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="all upstreams", allow_abbrev=False)
    listing.add_argument("--json", action="store_true", help="one JSON array on stdout")
    add = actions.add_parser("add", help="set one up", allow_abbrev=False)
    add.add_argument("name", metavar="NAME")
    kinds = "; ".join(f"{kind}: {entry.summary}" for kind, entry in UPSTREAMS.items())
    add.add_argument("--kind", required=True, choices=list(UPSTREAMS), help=kinds)
    for option, metavar, text in _OPTIONS:
        add.add_argument(option, metavar=metavar, default="", help=text)
    add.add_argument("--models", nargs="+", default=[], metavar="ID", help="model ids of an engine that lists none")
    add.add_argument("--allow-plaintext", action="store_true", help="permit http:// beyond this machine")
    for action, text in (("remove", "forget one, with its credential"), ("use", "make one the default")):
        actions.add_parser(action, help=text, allow_abbrev=False).add_argument("name", metavar="NAME")
    show = actions.add_parser("show", help="settings, route, user, models", allow_abbrev=False)
    show.add_argument("name", nargs="?", metavar="NAME", help="default: the default one")
    show.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """One action."""
    from moor.cli.inside import refuse_inside

    if args.action not in ("list", "show"):
        refuse_inside(ctx, f"moor upstream {args.action}")
    return _ACTIONS[args.action](args, ctx)


def _list(args: argparse.Namespace, ctx: Context) -> int:
    from moor.errors.upstream import NoUpstream

    settings = ctx.loaded.settings
    rows = [_row(name, found, ctx) for name, found in settings.upstreams.items()]
    if args.json:
        ctx.out.json(rows)
    elif not rows:
        ctx.out.say("none yet; " + NoUpstream().hint)
    else:
        table = [
            (
                "*" if row["default"] else "",
                row["name"],
                row["kind"],
                row["where"],
                row["route"],
                str(row["models"] or ""),
            )
            for row in rows
        ]
        ctx.out.table(("", "NAME", "KIND", "WHERE", "ROUTE", "MODELS"), table, right=(5,))
    return 0


def _add(args: argparse.Namespace, ctx: Context) -> int:
    from moor.cli.setup import enrol
    from moor.errors.upstream import UpstreamExists
    from moor.upstreams import open_upstream
    from moor.upstreams.enrol import check_name, record

    name = check_name(args.name)
    if name in ctx.loaded.settings.upstreams:
        raise UpstreamExists(name)
    settings = _settings(args, ctx)
    upstream = open_upstream(name, settings, ctx.home, ctx.environ, ctx.clock)
    if upstream.needs_sign_in() and settings.host:
        record(ctx.home, ctx.loaded, name, settings, None)
        ctx.out.say(f"{name} is set up; next: moor login --upstream {name}")
        return 0
    return enrol(ctx, upstream, settings)


def _settings(args: argparse.Namespace, ctx: Context) -> UpstreamSettings:
    from moor.domain.settings import UpstreamSettings
    from moor.workspace.address import workspace_address
    from moor.workspace.cfgfile import load_profile

    names = [option.removeprefix("--").replace("-", "_") for option, _, _ in _OPTIONS]
    values = {name: getattr(args, name) for name in names}
    if values["profile"] and not values["host"]:
        values["host"] = load_profile(ctx.environ, values["profile"]).host
    if values["host"]:
        address = workspace_address(values["host"], allow_plaintext=args.allow_plaintext)
        values["host"] = address.url
        values["workspace_id"] = values["workspace_id"] or address.workspace_id
    if values["ca_file"]:
        values["ca_file"] = str((ctx.cwd / Path(values["ca_file"]).expanduser()).resolve())
    values["route"] = values["route"] or UpstreamSettings(kind=args.kind).route
    return UpstreamSettings(kind=args.kind, models=tuple(args.models), allow_plaintext=args.allow_plaintext, **values)


def _remove(args: argparse.Namespace, ctx: Context) -> int:
    from moor.store.catalogues import remove_catalogue
    from moor.store.credentials import CredentialStore
    from moor.store.settings_edit import remove
    from moor.upstreams import upstream_settings
    from moor.upstreams.enrol import in_user_file

    upstream_settings(args.name, ctx.loaded.settings)
    CredentialStore(ctx.home).remove(args.name)
    remove_catalogue(ctx.home, args.name)
    remove(ctx.home, f"upstreams.{args.name}")
    ctx.out.say(f"{args.name} is removed, with its credential and its list of models")
    if in_user_file(ctx.loaded, "defaults.upstream") == args.name:
        # its models go with it: they would be unknown to the next default
        for key in ("upstream", "model", "small_model"):
            if in_user_file(ctx.loaded, f"defaults.{key}"):
                remove(ctx.home, f"defaults.{key}")
        left = [name for name in ctx.loaded.settings.upstreams if name != args.name]
        if left:
            ctx.out.say(f"it was the default; next: moor upstream use {left[0]}")
    return 0


def _use(args: argparse.Namespace, ctx: Context) -> int:
    from moor.store.catalogues import load_catalogue
    from moor.store.settings_edit import set_values
    from moor.upstreams import upstream_settings
    from moor.upstreams.enrol import choose, in_user_file

    upstream_settings(args.name, ctx.loaded.settings)
    values = {"defaults.upstream": args.name}
    catalogue = load_catalogue(ctx.home, args.name)
    model = in_user_file(ctx.loaded, "defaults.model")
    if catalogue is not None and (not model or catalogue.find(model) is None):
        chosen, small = choose(catalogue, ctx.loaded)
        values |= {
            key: value for key, value in (("defaults.model", chosen), ("defaults.small_model", small)) if value
        }
    set_values(ctx.home, values)
    ctx.out.say(f"{args.name} is the default upstream")
    if "defaults.model" in values:
        ctx.out.say(f"default model {values['defaults.model']}, for small tasks {values['defaults.small_model']}")
    return 0


def _show(args: argparse.Namespace, ctx: Context) -> int:
    from moor.upstreams import default_name, upstream_settings

    name = args.name or default_name(ctx.loaded.settings)
    settings = upstream_settings(name, ctx.loaded.settings)
    row = {**_row(name, settings, ctx), "settings": msgspec.to_builtins(settings)}
    if args.json:
        ctx.out.json(row)
        return 0
    for key, value in {**row.pop("settings"), **row}.items():
        if value not in ("", None, [], False):
            ctx.out.result(f"{key:16}{value}")
    return 0


def _row(name: str, settings: UpstreamSettings, ctx: Context) -> dict[str, Any]:
    from moor.store.catalogues import load_catalogue

    catalogue: Catalogue | None = load_catalogue(ctx.home, name)
    return {
        "name": name,
        "kind": settings.kind,
        "where": settings.host or settings.base_url,
        "default": name == ctx.loaded.settings.defaults.upstream,
        "route": (catalogue.route if catalogue else "") or (settings.route if settings.host else ""),
        "workspace_id": settings.workspace_id or (catalogue.workspace_id if catalogue else ""),
        "user": catalogue.user if catalogue else "",
        "models": len(catalogue.models) if catalogue else None,
        "fetched_at": catalogue.fetched_at if catalogue else None,
        "reasons": list(catalogue.reasons) if catalogue else [],
    }


_ACTIONS = {"list": _list, "add": _add, "remove": _remove, "show": _show, "use": _use}
