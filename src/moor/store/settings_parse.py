"""The groups of a settings file and what their values must be (`moor.store.settings_tables` reads the tables)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from moor.domain.budget import PERIODS
from moor.domain.settings import (
    AgentSettings,
    BudgetSettings,
    Defaults,
    GatewaySettings,
    GuardSettings,
    InstallSettings,
    LogSettings,
    PolicySettings,
    PriceSettings,
    Settings,
    UpstreamSettings,
)
from moor.domain.watch import ACTIONS
from moor.errors.config import ConfigValueError
from moor.store.settings_tables import GROUPS, Source, parse_group, parse_named, printable, unknown_key

_MAX_AGE_DAYS: Final = 3650
DESCRIBING: Final = frozenset(AgentSettings.__struct_fields__[AgentSettings.__struct_fields__.index("command") :])
"""fields that describe an agent"""


def parse_settings(source: Source, data: Mapping[str, Any]) -> Settings:
    """All groups of a user's file. Raises ConfigUnknownKeyError, ConfigTypeError, ConfigValueError."""
    for key in data:
        if key not in GROUPS:
            raise unknown_key(source, (key,), tuple(GROUPS))
    return Settings(
        defaults=parse_group(source, Defaults, data.get("defaults", {}), "defaults"),
        upstreams=_upstreams(source, data),
        agents=_agents(source, data),
        policy=parse_policy(source, data),
        budgets=parse_budgets(source, data),
        gateway=parse_group(source, GatewaySettings, data.get("gateway", {}), "gateway"),
        guard=parse_guard(source, data),
        log=_log(source, data),
        install=_install(source, data),
    )


def parse_description(source: Source, data: Mapping[str, Any], name: str) -> AgentSettings:
    """The description of one agent that stands in a file of its own. Raises ConfigError."""
    whole = {"agents": {name: dict(data)}}
    return _agents(source, whole)[name]


def _install(source: Source, data: Mapping[str, Any]) -> InstallSettings:
    group = parse_group(source, InstallSettings, data.get("install", {}), "install")
    if not 0 <= group.min_age_days <= _MAX_AGE_DAYS:
        raise ConfigValueError(
            place=source.place("install", "min_age_days"),
            key="install.min_age_days",
            problem=f"must be a number of days from 0 to {_MAX_AGE_DAYS}",
            hint="write it so: min_age_days = 7",
        )
    return group


def parse_policy(source: Source, data: Mapping[str, Any]) -> PolicySettings:
    """The `[policy]` group, its values checked."""
    policy = parse_group(source, PolicySettings, data.get("policy", {}), "policy")
    _check_dollars(source, policy.budget_usd, "policy", "budget_usd")
    _check_tokens(source, policy.budget_tokens, "policy", "budget_tokens")
    for name in ("allow", "deny"):
        if "" in getattr(policy, name):
            raise ConfigValueError(
                place=source.place("policy", name),
                key=f"policy.{name}",
                problem="holds an empty pattern",
                hint=f'write model ids or globs: {name} = ["claude-*"]',
            )
    return policy


def parse_budgets(source: Source, data: Mapping[str, Any]) -> dict[str, BudgetSettings]:
    """The `[budgets.NAME]` groups, their values checked."""
    found = parse_named(source, data, "budgets", BudgetSettings)
    for name, budget in found.items():
        _check_dollars(source, budget.usd, "budgets", name, "usd")
        _check_tokens(source, budget.tokens, "budgets", name, "tokens")
        problems = {
            "per": budget.per not in PERIODS and f"is none of {', '.join(PERIODS)}",
            "tag": bool(budget.tag) and "=" not in budget.tag[1:] and "is no KEY=VALUE",
            "usd": budget.usd is None and budget.tokens is None and "or tokens must be set",
        }
        for key, problem in problems.items():
            if problem:
                place = source.place("budgets", name, key)
                raise ConfigValueError(place=place, key=f"budgets.{name}.{key}", problem=problem)
    return found


def parse_guard(source: Source, data: Mapping[str, Any]) -> GuardSettings:
    """The `[guard]` group, its values checked."""
    guard = parse_group(source, GuardSettings, data.get("guard", {}), "guard")
    if guard.action not in ACTIONS:
        raise ConfigValueError(
            place=source.place("guard", "action"), key="guard.action", problem=f"is none of {', '.join(ACTIONS)}"
        )
    for pattern in guard.patterns:
        try:
            empty = re.compile(pattern).search("") is not None
            problem = "matches everywhere" if empty else ""
        except re.error as error:
            problem = f"is no regular expression: {error}"
        if problem:
            place = source.place("guard", "patterns")
            raise ConfigValueError(place=place, key="guard.patterns", problem=f"{printable(pattern)!r} {problem}")
    return guard


def _log(source: Source, data: Mapping[str, Any]) -> LogSettings:
    group = parse_group(source, LogSettings, data.get("log", {}), "log")
    if not 0 <= group.payload_mb <= 100_000:
        raise ConfigValueError(
            place=source.place("log", "payload_mb"),
            key="log.payload_mb",
            problem="must be a number of MB, 0 for none",
            hint="write it so: payload_mb = 200",
        )
    return group


def _check_dollars(source: Source, value: float | None, *key: str) -> None:
    if value is not None and not 0 < value < 1e9:  # nan compares false
        raise ConfigValueError(
            place=source.place(*key),
            key=".".join(key),
            problem="must be a number of dollars above 0",
            hint=f"write it so: {key[-1]} = 5.0",
        )


def _check_tokens(source: Source, value: int | None, *key: str) -> None:
    if value is not None and not 0 < value < 1 << 50:
        raise ConfigValueError(
            place=source.place(*key),
            key=".".join(key),
            problem="must be a number of tokens above 0",
            hint=f"write it so: {key[-1]} = 1000000",
        )


def _upstreams(source: Source, data: Mapping[str, Any]) -> dict[str, UpstreamSettings]:
    tables = data.get("upstreams", {})
    for name, table in tables.items() if isinstance(tables, dict) else ():
        if isinstance(table, dict):
            parse_prices(source, table, "upstreams", name)
    return parse_named(source, data, "upstreams", UpstreamSettings)


def parse_prices(source: Source, table: Mapping[str, Any], *key: str) -> dict[str, PriceSettings]:
    """The tables under `prices`, their values checked; a value that is no table is left to the caller's own check."""
    prices = table.get("prices", {})
    found: dict[str, PriceSettings] = {}
    for model, price in prices.items() if isinstance(prices, dict) else ():
        at = (*key, "prices", model)
        known = PriceSettings.__struct_fields__[:-1]
        if isinstance(price, dict) and "level" in price:
            raise unknown_key(source, (*at, "level"), known)
        found[model] = parse_group(source, PriceSettings, price, *at)
        for kind in ("input", "output", "cache_read", "cache_write", "cache_write_1h"):
            dollars = getattr(found[model], kind)
            if dollars is not None and not 0 <= dollars < 1e6:  # nan compares false
                raise ConfigValueError(
                    place=source.place(*at, kind),
                    key=printable(".".join((*at, kind))),
                    problem="must be dollars per million tokens, 0 or more",
                    hint=f"write it so: {kind} = 5.0",
                )
    return found


def _agents(source: Source, data: Mapping[str, Any]) -> dict[str, AgentSettings]:
    found = parse_named(source, data, "agents", AgentSettings)
    for name, group in found.items():
        if group.command or any(field in DESCRIBING for field in data["agents"][name]):
            from moor.store.descriptions import check_description

            check_description(source, name, group)
    return found
