"""`moor gateway rules` and `moor gateway refusals`: the repairs of the wire, and what none of them repairs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from moor.cli.context import Context

if TYPE_CHECKING:
    from moor.domain.call import Call

_QUOTED: Final = re.compile(r"[`'\"]([A-Za-z_$][\w.$\[\]-]{1,80})[`'\"]")
_BEFORE_COLON: Final = re.compile(r"([A-Za-z_$][\w$]*(?:\.[\w$\[\]]+)+):")
_REFUSED: Final = ("upstream 400", "upstream 422")
"""how the rows of such calls begin"""
_LOOKED_AT: Final = 2_000


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of refusal that upstreams gave and no rule repaired."""

    field: str
    """what it is about, as far as its words tell; empty where they do not"""
    sentence: str
    agent: str
    model: str
    upstream: str
    dialect: str
    status: int
    times: int
    last: str
    """id of the newest such call"""


def check_rules(names: tuple[str, ...]) -> None:
    """Raises UsageError for a rule that there is not."""
    from moor.errors.base import UsageError
    from moor.gateway.filters import FILTERS

    for name in names:
        if name not in FILTERS:
            raise UsageError(f"there is no rule {name!r}", hint="moor gateway rules")


def show_rules(ctx: Context, *, as_json: bool) -> int:
    """Every rule: what for, where, how often it was needed."""
    from moor.gateway.filters import all_filters
    from moor.ledger.calls import rule_counts

    counts = rule_counts(ctx.home)
    off = ctx.loaded.settings.gateway.rules_off
    rules = all_filters()
    if as_json:
        ctx.out.json(
            [
                {
                    "name": rule.name,
                    "on": rule.name not in off,
                    "fired": counts.get(rule.name, 0),
                    "dialects": rule.dialects,
                    "quirk": rule.quirk,
                    "fields": rule.fields,
                    "since": rule.since,
                    "why": rule.why,
                }
                for rule in rules
            ]
        )
        return 0
    rows = [
        [
            rule.name,
            "off" if rule.name in off else "",
            str(counts.get(rule.name, 0)),
            " ".join(rule.dialects),
            rule.why,
        ]
        for rule in rules
    ]
    ctx.out.table(["RULE", "", "FIRED", "DIALECTS", "WHY"], rows, right=(2,))
    ctx.out.say("switch one off: moor config set gateway.rules_off NAME[,NAME]")
    return 0


def show_refusals(ctx: Context, *, as_json: bool) -> int:
    """What upstreams refused of agents' requests, with a text ready for an issue."""
    found = refusals(ctx)
    if as_json:
        ctx.out.json(msgspec.to_builtins(found))
    elif not found:
        ctx.out.say("no refusal that a rule could have repaired")
    for one in found if not as_json else ():
        for line in issue_text(one):
            ctx.out.result(line)
    return 0


def refusals(ctx: Context) -> list[Refused]:
    """The kinds, newest first, of the last calls. BLOCKS on SQLite."""
    from moor.ledger.calls import calls

    kinds: dict[tuple[str, str, str, str], list[Call]] = {}
    for call in calls(ctx.home, failed=True, limit=_LOOKED_AT):
        word, _, sentence = call.error.partition(": ")
        if word in _REFUSED:
            kinds.setdefault((call.upstream, call.dialect, call.model, sentence), []).append(call)
    return [
        Refused(
            field=field_of(sentence),
            sentence=sentence,
            agent=same[0].agent,
            model=model,
            upstream=upstream,
            dialect=dialect,
            status=same[0].status,
            times=len(same),
            last=same[0].id,
        )
        for (upstream, dialect, model, sentence), same in kinds.items()
    ]


def field_of(sentence: str) -> str:
    """The field that a refusal names: `tools.0.custom.name: Extra inputs…`, `Unknown name "$ref"`."""
    found = _BEFORE_COLON.search(sentence) or _QUOTED.search(sentence)
    return found.group(1) if found else ""


def issue_text(one: Refused) -> list[str]:
    """Lines to paste."""
    from moor import __version__
    from moor.cli.steps import clean

    title = f"{one.dialect}: {one.field or 'a request'} is refused"
    return [
        "",
        title,
        "-" * len(title),
        f"upstream said ({one.status}, {one.times} times): {clean(one.sentence)}",
        f"agent {one.agent}, model {one.model}, upstream {one.upstream}, moor {__version__}",
        f"the request, if payloads are kept: moor calls show {one.last} --as bytes",
    ]
