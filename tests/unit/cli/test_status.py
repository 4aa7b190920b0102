"""`moor status` says what a launch would use, and for everything missing the command to type."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from moor.domain.models import Catalogue, Model
from moor.secrets import Secret
from moor.store.catalogues import save_catalogue
from moor.store.credentials import CredentialStore, StoredCredential
from moor.store.home import Home
from moor.store.settings_edit import set_values
from tests.support.home import MoorHome
from tests.support.moor import Done

Run = Callable[..., Done]
TOKEN = "dapi0123456789abcdef0123456789abcdef"


@pytest.fixture
def home(moor_home: MoorHome) -> Home:
    return Home(moor_home.root)


def workspace(home: Home, **more: object) -> None:
    from moor.upstreams.databricks import KIND

    set_values(home, {"upstreams.dev": {"kind": KIND, "host": "https://dev.example.com", **more}})


def missing(done: Done) -> dict[str, str]:
    return {one["what"]: one["command"] for one in done.last_json["missing"]}


@pytest.mark.feature("F8.1")
def test_a_new_home_lacks_an_upstream_and_an_agent_and_stays_empty(run_moor: Run, moor_home: MoorHome) -> None:
    done = run_moor("status")
    assert done.code == 0
    assert "missing     no upstream is set up: moor login --host https://YOUR-WORKSPACE" in done.stdout
    assert not (moor_home.root / "moor.db").exists()


def test_a_workspace_without_sign_in_says_how_to_sign_in(run_moor: Run, home: Home) -> None:
    workspace(home)
    assert missing(run_moor("status", "--json"))["dev: not signed in"] == "moor login --upstream dev"


def test_a_signed_in_workspace_shows_who_until_when_and_no_token(run_moor: Run, home: Home) -> None:
    workspace(home)
    credential = StoredCredential(
        kind="oauth",
        access_token=Secret(TOKEN),
        refresh_token=Secret(TOKEN),
        expires_at=time.time() + 3600,
        host="https://dev.example.com",
        user="me@example.com",
    )
    CredentialStore(home).save("dev", credential)
    save_catalogue(home, Catalogue(upstream="dev", models=(Model(id="m", family="f", dialects=()),), route="serving"))
    set_values(home, {"defaults.model": "m"})
    done = run_moor("status")
    for words in ("signed in as me@example.com (oauth)", "renewed by moor", "route       serving", "models      1"):
        assert words in done.stdout
    shown = run_moor("status", "--json")
    assert shown.last_json["upstream"]["sign_in"]["ready"]
    assert "dev" not in " ".join(missing(shown))
    assert TOKEN not in done.stdout + shown.stdout


def test_a_token_that_has_ended_and_renews_itself_not_says_so(run_moor: Run, home: Home) -> None:
    workspace(home)
    ended = StoredCredential(kind="pat", access_token=Secret(TOKEN), expires_at=time.time() - 1)
    CredentialStore(home).save("dev", ended)
    assert "dev: the sign-in has ended" in missing(run_moor("status", "--json"))


def test_a_key_from_the_environment_is_looked_for_and_not_shown(run_moor: Run, home: Home) -> None:
    from moor.upstreams.openai import KIND

    engine = {"kind": KIND, "base_url": "http://127.0.0.1:1/v1", "api_key_env": "ENGINE_KEY"}
    set_values(home, {"upstreams.local": engine})
    assert missing(run_moor("status", "--json"))["local: key from $ENGINE_KEY, which is not set"] == (
        "export ENGINE_KEY=…"
    )
    done = run_moor("status", env={"ENGINE_KEY": "very-secret-value"})
    assert "key from $ENGINE_KEY" in done.stdout
    assert "very-secret" not in done.stdout + done.stderr


def test_several_upstreams_need_a_default(run_moor: Run, home: Home) -> None:
    from moor.upstreams.sim import KIND

    set_values(home, {f"upstreams.{name}": {"kind": KIND} for name in ("one", "two")})
    assert missing(run_moor("status", "--json"))["several upstreams, none is the default"] == "moor upstream use one"
    set_values(home, {"defaults.upstream": "three"})
    assert missing(run_moor("status", "--json"))["there is no upstream 'three'"] == "moor upstream list"


def test_an_agent_that_is_switched_off_is_said(run_moor: Run, home: Home) -> None:
    from moor.agents import DEFAULT_AGENT

    set_values(home, {f"agents.{DEFAULT_AGENT}.enabled": False})
    assert f"{DEFAULT_AGENT} is switched off" in missing(run_moor("status", "--json"))


def test_no_network_is_used_unless_asked_and_then_the_answer_counts(run_moor: Run, home: Home) -> None:
    from moor.upstreams.openai import KIND

    set_values(home, {"upstreams.local": {"kind": KIND, "base_url": "http://127.0.0.1:1/v1"}})
    quiet = run_moor("status", "--json")
    assert (quiet.code, quiet.last_json["check"]) == (0, None)
    asked = run_moor("status", "--check", "--json")
    assert asked.code == 4
    assert asked.last_json["check"]["ref"] == "unreachable"
    assert run_moor("status", "--check").stdout.count("unreachable") >= 1


def test_a_check_without_an_upstream_says_what_to_type(run_moor: Run) -> None:
    done = run_moor("status", "--check")
    assert done.code == 2
    assert "no-upstream" in done.stdout
