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
