"""Settings from all sources: option > environment > project file > user file > default.

The project file is a repository's, so it is held to what design decision 8 allows. Policies are layers:
each level narrows the ones above it. Nothing is parsed that is not there: a launch passes this file.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from moor.domain.budget import MONEY, SESSION, TOKENS, Cap
from moor.domain.models import NANO
from moor.domain.policy import Policy, PolicyLayer
from moor.domain.settings import ADMINISTRATOR, Defaults, PolicySettings, PriceSettings, Settings, UpstreamSettings
from moor.domain.watch import Watch
from moor.errors.config import ConfigValueError, Place
from moor.store.files import read_bounded
from moor.store.home import Home
from moor.store.settings_levels import ADMIN_POLICY, Level, admin_level, project_level
from moor.store.settings_parse import parse_settings
from moor.store.settings_tables import MAX_CONFIG_BYTES, has_control, parse_toml

FLAG: Final = "option"
ENVIRONMENT: Final = "environment"
PROJECT: Final = "project"
USER: Final = "user"
DEFAULT: Final = "default"

VARIABLES: Final = {
    "defaults.upstream": "MOOR_UPSTREAM",
    "defaults.agent": "MOOR_AGENT",
    "defaults.model": "MOOR_MODEL",
    "defaults.small_model": "MOOR_SMALL_MODEL",
}


class Origin(msgspec.Struct, frozen=True):
    """Where a setting's value came from."""

    source: str
    """`option`, `environment`, `project`, `user`, `administrator` or `default`"""
    value: Any
    where: str = ""
    """file, variable or option"""
    overridden: tuple[tuple[str, Any], ...] = ()
    """(source, value) of those that lost, strongest first"""


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Settings in force. `settings.policy` holds the user's lists and the lowest money cap of all levels."""

    settings: Settings
    policy: Policy
    """layers administrator, user, project"""
    origins: dict[str, Origin]
    """by dotted name; one for every setting that has a value, and for every default"""
    budget_nano: int | None = None
    """the lowest money cap of all levels in nano-dollars"""
    watch: Watch = Watch()
    caps: tuple[Cap, ...] = ()
    """the other caps of all levels; those per session name no session yet"""
    project_path: Path | None = None
    admin_path: Path | None = None

    @property
    def all_caps(self) -> tuple[Cap, ...]:
        """`caps` and `budget_nano`."""
        if self.budget_nano is None:
            return self.caps
        level = self.origins["policy.budget_usd"].source
        return (*self.caps, Cap(name=SESSION, per=SESSION, unit=MONEY, limit=self.budget_nano, level=level))


def load_settings(
    home: Home,
    environ: Mapping[str, str],
    cwd: Path,
    flags: Mapping[str, str] | None = None,
    *,
    admin_path: Path = ADMIN_POLICY,
    admin_uid: int = 0,
) -> Loaded:
    """Settings for a command in `cwd`. Reads files, writes none.

    Raises the errors of `moor.errors.config` with file, line and key; FileUnreadableError.
    """
    user, raw = _user(home.config_path)
    project = project_level(cwd)
    admin = admin_level(admin_path, admin_uid)
    levels = _default_levels(raw, project, environ, flags or {}, home.config_path)
    origins = {f"defaults.{name}": _winner(f"defaults.{name}", levels) for name in Defaults.__struct_fields__}
    origins |= _file_origins(raw, home.config_path)
    origins |= _price_origins(raw, admin)
    budget = _budget(user.policy, project, admin, home.config_path)
    origins |= _policy_origins(user.policy, budget, home.config_path)
    defaults = Defaults(*(origins[f"defaults.{name}"].value for name in Defaults.__struct_fields__))
    cap = origins["policy.budget_usd"].value
    return Loaded(
        settings=Settings(
            defaults=defaults,
            upstreams={name: _priced(one, admin) for name, one in user.upstreams.items()},
            agents=user.agents,
            policy=PolicySettings(user.policy.allow, user.policy.deny, cap, user.policy.budget_tokens),
            budgets=user.budgets,
            gateway=user.gateway,
            guard=user.guard,
            log=user.log,
            install=user.install,
        ),
        policy=_policy(user.policy, project, admin),
        origins=origins,
        budget_nano=None if cap is None else dollars_to_nano(cap),
        caps=_caps(user, project, admin),
        watch=_watch(user, admin),
        project_path=project.path if project else None,
        admin_path=admin.path if admin else None,
    )


def _priced(upstream: UpstreamSettings, admin: Level | None) -> UpstreamSettings:
    """With the prices that count: the administrator's first, and no other where the administrator caps money."""
    theirs = {} if admin is None else _marked(admin.prices, ADMINISTRATOR)
    own = {} if admin is not None and admin.caps_money else _marked(upstream.prices, "config")
    if not theirs and not upstream.prices:
        return upstream
    return msgspec.structs.replace(upstream, prices={**theirs, **{m: p for m, p in own.items() if m not in theirs}})


def _price_origins(raw: Mapping[str, Any], admin: Level | None) -> dict[str, Origin]:
    """Of prices of the user's that do not count, because the administrator caps money."""
    if admin is None or not admin.caps_money:
        return {}
    theirs = {model: {"input": price.input, "output": price.output} for model, price in admin.prices.items()}
    return {
        f"upstreams.{name}.prices": Origin(ADMINISTRATOR, theirs, str(admin.path), ((USER, table["prices"]),))
        for name, table in raw.get("upstreams", {}).items()
        if "prices" in table
    }


def _marked(prices: Mapping[str, PriceSettings], level: str) -> dict[str, PriceSettings]:
    return {model: msgspec.structs.replace(price, level=level) for model, price in prices.items()}


def dollars_to_nano(dollars: float) -> int:
    """Whole nano-dollars, nearest."""
    return round(dollars * NANO)


def _user(path: Path) -> tuple[Settings, dict[str, Any]]:
    data = read_bounded(path, MAX_CONFIG_BYTES)
    if data is None:
        return Settings(), {}
    source, raw = parse_toml(path, data)
    return parse_settings(source, raw), raw


def _default_levels(
    raw: Mapping[str, Any],
    project: Level | None,
    environ: Mapping[str, str],
    flags: Mapping[str, str],
    config_path: Path,
) -> list[tuple[str, str, dict[str, str]]]:
    """(source, where, dotted name to value), weakest first."""
    user = {f"defaults.{name}": value for name, value in raw.get("defaults", {}).items()}
    levels = [(USER, str(config_path), user)]
    if project:
        levels.append((PROJECT, str(project.path), project.defaults))
    for dotted, variable in VARIABLES.items():
        if value := environ.get(variable, ""):
            levels.append((ENVIRONMENT, variable, {dotted: _clean(value, variable)}))
    levels.append((FLAG, "command line", {name: _clean(value, name) for name, value in flags.items()}))
    return levels


def _winner(dotted: str, levels: list[tuple[str, str, dict[str, str]]]) -> Origin:
    origin = Origin(DEFAULT, "")
    for source, where, values in levels:
        if dotted in values:
            lost = () if origin.source == DEFAULT else ((origin.source, origin.value), *origin.overridden)
            origin = Origin(source, values[dotted], where, lost)
    return origin


def _file_origins(raw: Mapping[str, Any], path: Path) -> dict[str, Origin]:
    plain = {f"install.{key}": Origin(USER, value, str(path)) for key, value in raw.get("install", {}).items()}
    return plain | {
        f"{group}.{name}.{key}": Origin(USER, value, str(path))
        for group in ("upstreams", "agents", "budgets")
        for name, table in raw.get(group, {}).items()
        for key, value in table.items()
    }


def _budget(
    user: PolicySettings, project: Level | None, admin: Level | None, path: Path
) -> list[tuple[float, str, str]]:
    """(cap, source, where) of the levels that set one, lowest first."""
    caps = [(user.budget_usd, USER, str(path))]
    if project:
        caps.append((project.policy.budget_usd, PROJECT, str(project.path)))
    if admin:
        caps.append((admin.policy.budget_usd, ADMINISTRATOR, str(admin.path)))
    return sorted((cap, source, where) for cap, source, where in caps if cap is not None)


def _policy_origins(user: PolicySettings, budget: list[tuple[float, str, str]], path: Path) -> dict[str, Origin]:
    origins = {
        f"policy.{name}": Origin(USER, list(value), str(path)) if value else Origin(DEFAULT, [])
        for name, value in (("allow", user.allow), ("deny", user.deny))
    }
    cap = Origin(DEFAULT, None)
    if budget:
        value, source, where = budget[0]
        cap = Origin(source, value, where, tuple((lost, other) for other, lost, _ in budget[1:]))
    return origins | {"policy.budget_usd": cap}


def _policy(user: PolicySettings, project: Level | None, admin: Level | None) -> Policy:
    policy = Policy()
    for name, rules in ((ADMINISTRATOR, admin), (USER, user), (PROJECT, project)):
        found = rules.policy if isinstance(rules, Level) else rules
        if found is not None:
            policy = policy.narrowed(PolicyLayer(name, found.allow, found.deny))
    return policy


def _watch(user: Settings, admin: Level | None) -> Watch:
    own = Watch(user.guard.action, user.guard.patterns, user.gateway.rules_off, user.log.payload_mb)
    return own if admin is None else own.with_(Watch(admin.guard.action, admin.guard.patterns))


def _caps(user: Settings, project: Level | None, admin: Level | None) -> tuple[Cap, ...]:
    """Caps in tokens for each session, and everything under `[budgets]`."""
    found: list[Cap] = []
    levels = (
        (USER, user.policy, user.budgets),
        *(
            (name, one.policy, one.budgets)
            for name, one in ((PROJECT, project), (ADMINISTRATOR, admin))
            if one is not None
        ),
    )
    for level, policy, budgets in levels:
        if policy.budget_tokens is not None:
            found.append(Cap(name=SESSION, per=SESSION, unit=TOKENS, limit=policy.budget_tokens, level=level))
        for name, budget in budgets.items():
            made = {"name": name, "per": budget.per, "level": level, "upstream": budget.upstream, "tag": budget.tag}
            if budget.usd is not None:
                found.append(Cap(unit=MONEY, limit=dollars_to_nano(budget.usd), **made))
            if budget.tokens is not None:
                found.append(Cap(unit=TOKENS, limit=budget.tokens, **made))
    return tuple(found)


def _clean(value: str, where: str) -> str:
    if has_control(value):
        raise ConfigValueError(
            place=Place(where), key=where, problem="holds a control character", hint=f"set {where} again"
        )
    return value
