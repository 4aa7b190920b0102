"""`moor config show|path|set|unset`: settings and where each came from."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any, Final

from moor.cli.context import Context
from moor.secrets import mask

if TYPE_CHECKING:
    from moor.store.settings import Origin

_SECRET_NAME: Final = re.compile(r"KEY|TOKEN|SECRET|PASSW|CREDENTIAL", re.IGNORECASE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Actions of `moor config`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    show = actions.add_parser("show", help="settings in force", allow_abbrev=False)
    show.add_argument("--explain", action="store_true", help="say where each came from, and what it overrode")
    show.add_argument("--json", action="store_true", help="one JSON object on stdout")
    actions.add_parser("path", help="where your own file is", allow_abbrev=False)
    put = actions.add_parser("set", help="change one setting in your file", allow_abbrev=False)
    put.add_argument("key", metavar="KEY", help="e.g. defaults.model, policy.deny, upstreams.NAME.ca_file")
    put.add_argument("value", metavar="VALUE", help="a list is written a,b")
    drop = actions.add_parser("unset", help="remove a setting or a table from your file", allow_abbrev=False)
    drop.add_argument("key", metavar="KEY", help="e.g. defaults.model, upstreams.NAME")


def run(args: argparse.Namespace, ctx: Context) -> int:
    """One action."""
    if args.action == "path":
        ctx.out.result(str(ctx.home.config_path))
        return 0
    if args.action == "show":
        return _show(args, ctx)
    return _change(args, ctx)


def _change(args: argparse.Namespace, ctx: Context) -> int:
    from moor.cli.inside import refuse_inside
    from moor.store.settings_edit import remove, set_value, value_from_text

    if args.action == "unset":
        refuse_inside(ctx, f"moor config unset {args.key}")
        remove(ctx.home, args.key)
        ctx.out.say(f"{args.key} is no longer set in {ctx.home.config_path}")
        return 0
    refuse_inside(ctx, f"moor config set {args.key} …")
    value = value_from_text(args.key, args.value)
    _check_known(args.key, value, ctx)
    set_value(ctx.home, args.key, value)
    ctx.out.say(f"{args.key} = {_text(args.key, value)}  in {ctx.home.config_path}")
    _warn_where_it_has_no_effect(args.key, ctx)
    return 0


def _check_known(key: str, value: Any, ctx: Context) -> None:
    """Raises UnknownAgent where the setting names an agent that there is not."""
    from moor.agents import load_agent

    group, name, *_ = key.split(".")
    if key == "defaults.agent":
        load_agent(value, ctx.loaded.settings.agents)
    elif group == "agents" and not key.endswith(".command"):
        load_agent(name, ctx.loaded.settings.agents)
    if key == "gateway.rules_off":
        from moor.cli.rules import check_rules

        check_rules(value)


def _warn_where_it_has_no_effect(key: str, ctx: Context) -> None:
    loaded = ctx.loaded
    origin = loaded.origins.get(key)
    if origin is not None and origin.source != "user":
        ctx.out.warn(
            f"it has no effect here: {origin.where or origin.source} sets {key} to {_text(key, origin.value)}"
        )
    name = loaded.settings.defaults.upstream
    if key == "defaults.upstream" and name and name not in loaded.settings.upstreams:
        known = ", ".join(sorted(loaded.settings.upstreams)) or "none yet"
        ctx.out.warn(f"there is no upstream {name!r} (there are: {known}); add it: moor upstream add {name} --help")


def _show(args: argparse.Namespace, ctx: Context) -> int:
    origins = ctx.loaded.origins
    if args.json:
        layers = [
            {"level": layer.level, "allow": layer.allow, "deny": layer.deny} for layer in ctx.loaded.policy.layers
        ]
        settings = {key: _as_json(key, origin) for key, origin in origins.items()}
        ctx.out.json({"path": str(ctx.home.config_path), "settings": settings, "policy_layers": layers})
        return 0
    if args.explain:
        rows = [[key, _text(key, o.value), o.source, o.where, _overridden(key, o)] for key, o in origins.items()]
        ctx.out.table(["setting", "value", "source", "where", "overrode"], rows)
    else:
        ctx.out.table(["setting", "value"], [[key, _text(key, o.value)] for key, o in origins.items()])
    _show_policy(ctx)
    return 0


def _show_policy(ctx: Context) -> None:
    """The levels of the policy, where there is more than the user's own."""
    layers = ctx.loaded.policy.layers
    if all(layer.level == "user" for layer in layers):
        return
    ctx.out.result("")
    ctx.out.result("policy (a model must pass every level):")
    for layer in layers:
        rules = [f"allow {', '.join(layer.allow)}"] if layer.allow else []
        rules += [f"deny {', '.join(layer.deny)}"] if layer.deny else []
        ctx.out.result(f"  {layer.level}: {'; '.join(rules)}")


def _as_json(key: str, origin: Origin) -> dict[str, Any]:
    return {
        "value": _masked(key, origin.value),
        "source": origin.source,
        "where": origin.where,
        "overridden": [{"source": source, "value": _masked(key, value)} for source, value in origin.overridden],
    }


def _overridden(key: str, origin: Origin) -> str:
    return ", ".join(f"{_text(key, value)} ({source})" for source, value in origin.overridden)


def _text(key: str, value: Any) -> str:
    value = _masked(key, value)
    if value is None or value == "":
        return "-"
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{name}={_inner(one)}" for name, one in value.items()) or "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _inner(value: Any) -> str:
    """A value inside a table; a table in it in brackets."""
    return f"({', '.join(f'{name}={one}' for name, one in value.items())})" if isinstance(value, dict) else str(value)


def _masked(key: str, value: Any) -> Any:
    """The value, with those variables of an agent masked whose name says that they are secret."""
    if isinstance(value, dict):
        return {name: _masked(f"{key}.{name}", one) for name, one in value.items()}
    if isinstance(value, str) and ".env." in key and _SECRET_NAME.search(key.rpartition(".")[2]):
        return mask(value)
    return value
