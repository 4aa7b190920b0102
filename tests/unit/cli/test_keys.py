"""`moor keys` as a user types it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from moor.secrets import key_hash
from moor.store.home import Home
from moor.store.keys import KeyStore
from tests.support.home import MoorHome
from tests.support.moor import Done

Run = Callable[..., Done]


@pytest.mark.feature("F3.16")
def test_the_key_alone_is_on_stdout_and_only_once(run_moor: Run, moor_home: MoorHome) -> None:
    done = run_moor("keys", "create", "ci", "--models", "claude-*", "gpt-*", "--budget-usd", "2.5")
    assert done.code == 0
    key = done.stdout.strip()
    (kept,) = KeyStore(Home(moor_home.root)).active()
    assert kept.key_hash == key_hash(key)
    assert (kept.name, kept.budget_nano) == ("ci", 2_500_000_000)
    assert kept.policy.why_not("llama") is not None
    assert kept.policy.why_not("gpt-5") is None
    assert key not in run_moor("keys", "list").stdout + run_moor("keys", "list", "--json").stdout + done.stderr


def test_the_json_form_holds_the_key_and_what_it_may_do(run_moor: Run) -> None:
    made = run_moor("keys", "create", "--json").last_json
    assert made["key"].startswith("moor-")
    (listed,) = run_moor("keys", "list", "--json").last_json
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert (listed["state"], listed["budget_usd"], listed["models"]) == ("active", None, [])


def test_a_revoked_key_is_listed_as_such(run_moor: Run) -> None:
    run_moor("keys", "create", "ci")
    assert run_moor("keys", "revoke", "ci").code == 0
    assert run_moor("keys", "list").stdout.splitlines()[1].endswith("revoked")


def test_an_empty_list_says_what_to_type(run_moor: Run, moor_home: MoorHome) -> None:
    assert "moor keys create NAME" in run_moor("keys", "list").stderr
    assert run_moor("keys", "list", "--json").last_json == []
    assert not moor_home.root.exists()


@pytest.mark.parametrize(
    ("argv", "ref"),
    [
        (("revoke", "nobody"), "key-unknown"),
        (("create", "--upstream", "nowhere"), "unknown-upstream"),
        (("create", "--budget-usd", "0"), "wrong-use"),
        (("create", "--budget-usd", "nan"), "wrong-use"),
        ((), "wrong-use"),
    ],
)
def test_a_mistake_has_exit_code_2_and_a_hint(run_moor: Run, argv: tuple[str, ...], ref: str) -> None:
    done = run_moor("keys", *argv)
    assert done.code == 2
    assert f"error: {ref}: " in done.stderr
    assert "hint: " in done.stderr


@pytest.mark.feature("F3.16")
def test_limits_and_an_end_are_kept_and_shown(run_moor: Run, moor_home: MoorHome) -> None:
    limits = ("--budget-tokens", "2M", "--rpm", "30", "--tpm", "500k", "--expires", "30d", "--tag", "team=ml")
    made = run_moor("keys", "create", "--name", "ide", "--models", "claude-*", *limits, "--json").last_json
    (kept,) = KeyStore(Home(moor_home.root)).active()
    assert (kept.name, kept.budget_tokens, kept.rpm, kept.tpm) == ("ide", 2_000_000, 30, 500_000)
    assert made["expires"] > made["created"]
    assert made["tags"] == kept.tags == {"team": "ml"}
    text = run_moor("keys", "list").stdout
    assert " team=ml " in text
    assert "2000000 tokens" in text
    assert "30 calls, 500000 tokens" in text


def test_an_expired_key_is_no_key_and_its_name_is_free_again(run_moor: Run, moor_home: MoorHome) -> None:
    store = KeyStore(Home(moor_home.root))
    store.create("old", expires_at=1.0)
    assert store.active() == []
    assert "expired" in run_moor("keys", "list").stdout
    assert run_moor("keys", "create", "old").code == 0


@pytest.mark.parametrize("text", ["soon", "30", "-3d", "0d"])
def test_a_time_that_means_nothing_is_refused(run_moor: Run, text: str) -> None:
    assert run_moor("keys", "create", "--expires", text).code == 2


def test_a_name_that_a_shell_would_take_apart_is_quoted_where_it_is_to_be_typed(run_moor: Run) -> None:
    assert "revoke 'a b; c'" in run_moor("keys", "create", "--name", "a b; c").stderr
    assert "revoke 'a b; c'" in run_moor("keys", "create", "--name", "a b; c").stderr
    assert "raise 'key:a b; c' --usd" in run_moor("budget", "raise", "key:a b; c").stderr
