"""Caps in the settings: what a file may say, at which level, and what is refused with the fix."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moor.domain.budget import DAY, MONEY, MONTH, SESSION, TOKENS
from moor.errors.base import MoorError
from moor.store.home import Home
from moor.store.settings import Loaded, load_settings


def load(folder: Path, user: str = "", *, project: str = "", admin: str = "") -> Loaded:
    home = Home(folder / "moor")
    home.ensure()
    home.config_path.write_text(user, encoding="utf-8")
    work = folder / "work"
    work.mkdir(exist_ok=True)
    if project:
        (work / ".moor.toml").write_text(project, encoding="utf-8")
    policy = folder / "policy.toml"
    policy.write_text(admin, encoding="utf-8")
    policy.chmod(0o600)
    return load_settings(home, {}, work, admin_path=policy, admin_uid=os.getuid())


@pytest.mark.feature("F13.8")
def test_budgets_of_all_levels_hold_beside_each_other(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        '[budgets.daily]\nusd = 20\n[budgets.team]\nper = "month"\ntokens = 5000000\ntag = "team=x"\n',
        project="[policy]\nbudget_tokens = 9000\n",
        admin='[budgets.all]\nper = "month"\nusd = 100\nupstream = "ws"\n',
    )
    found = {(cap.name, cap.per, cap.unit, cap.limit, cap.level) for cap in loaded.caps}
    assert found == {
        ("daily", DAY, MONEY, 20 * 10**9, "user"),
        ("team", MONTH, TOKENS, 5_000_000, "user"),
        (SESSION, SESSION, TOKENS, 9_000, "project"),
        ("all", MONTH, MONEY, 100 * 10**9, "administrator"),
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[budgets.a]\n", "must be set"),
        ('[budgets.a]\nusd = 1\nper = "week"\n', "is none of session, day, month, total"),
        ('[budgets.a]\nusd = 1\ntag = "team"\n', "is no KEY=VALUE"),
        ("[budgets.a]\nusd = 0\n", "above 0"),
        ("[budgets.a]\ntokens = -4\n", "above 0"),
        ("[budgets.a]\ntokens = 1.5\n", "a whole number"),
        ("[policy]\nbudget_tokens = 0\n", "above 0"),
        ("[budgets.a]\nusd = 1\nmodel = 'x'\n", "model"),
    ],
)
def test_a_cap_that_means_nothing_is_refused_with_the_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(MoorError) as caught:
        load(tmp_path, text)
    assert words in f"{caught.value.message} {caught.value.context} {caught.value.hint}"


def test_a_repository_sets_no_budgets_of_its_own_but_a_cap_of_its_sessions(tmp_path: Path) -> None:
    with pytest.raises(MoorError):
        load(tmp_path, project="[budgets.a]\nusd = 1\n")


PRICES = '[upstreams.s]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n'


@pytest.mark.feature("F13.8")
def test_prices_are_the_users_own_or_the_administrators(tmp_path: Path) -> None:
    own = (
        PRICES + '[upstreams.s.prices."qwen3-*"]\ninput = 0\noutput = 2\n[upstreams.s.prices.m]\ninput=1\noutput=1\n'
    )
    prices = load(tmp_path, own).settings.upstreams["s"].prices
    assert [(name, one.input, one.output, one.level) for name, one in prices.items()] == [
        ("qwen3-*", 0.0, 2.0, "config"),
        ("m", 1.0, 1.0, "config"),
    ]
    prices = load(tmp_path, own, admin="[prices.m]\ninput = 3\noutput = 4\n").settings.upstreams["s"].prices
    assert [(name, one.input, one.level) for name, one in prices.items()] == [
        ("m", 3.0, "administrator"),
        ("qwen3-*", 0.0, "config"),
    ]


@pytest.mark.feature("F13.8")
@pytest.mark.parametrize("cap", ["[policy]\nbudget_usd = 5\n", "[budgets.a]\nusd = 5\n"])
def test_where_the_administrator_caps_money_no_price_of_the_users_counts(tmp_path: Path, cap: str) -> None:
    own = PRICES + "[upstreams.s.prices.m]\ninput = 0\noutput = 0\n"
    loaded = load(tmp_path, own, admin=cap)
    assert loaded.settings.upstreams["s"].prices == {}
    told = loaded.origins["upstreams.s.prices"]
    assert (told.source, told.overridden[0][0]) == ("administrator", "user")
    theirs = load(tmp_path, own, admin=cap + "[prices.m]\ninput = 3\noutput = 4\n").settings.upstreams["s"].prices
    assert (theirs["m"].input, theirs["m"].level) == (3.0, "administrator")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[upstreams.s.prices.m]\ninput = 1\n", "has no output"),
        ("[upstreams.s.prices.m]\ninput = -1\noutput = 1\n", "0 or more"),
        ("[upstreams.s.prices.m]\ninput = nan\noutput = 1\n", "0 or more"),
        ('[upstreams.s.prices.m]\ninput = "1"\noutput = 1\n', "must be a number of dollars"),
        ("[upstreams.s.prices.m]\ninput = 1\noutput = 1\ncached = 1\n", "cached"),
        ('[upstreams.s.prices.m]\ninput = 1\noutput = 1\nlevel = "administrator"\n', "level"),
        ("[upstreams.s.prices]\nm = 1\n", "m must be a table"),
        ("prices = 1\n", "one table a model"),
    ],
)
def test_a_price_that_means_nothing_is_refused_with_the_place(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(MoorError) as seen:
        load(tmp_path, PRICES + text)
    assert words in str(seen.value), str(seen.value)


def test_an_administrators_price_that_is_no_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(MoorError, match="one table a model"):
        load(tmp_path, admin="prices = 3\n")
