"""The gateway alone: `moor gateway` with keys of `moor keys`, on a tiny engine."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from moor.domain.budget import DAY, MONEY, SESSION, TOKENS, Cap
from moor.domain.policy import Policy, PolicyLayer
from moor.gateway.standalone import StoreKeys
from moor.secrets import key_hash
from moor.store.home import Home
from moor.store.keys import KeyStore
from tests.support.home import MoorHome
from tests.unit.gateway.engine import ANSWER, running_engine


@pytest.fixture
def engine() -> Iterator[str]:
    """The engine's address."""
    with running_engine() as url:
        yield url


class Standalone:
    """A running `moor gateway`."""

    def __init__(self, moor_home: MoorHome, engine: str) -> None:
        self.home = Home(moor_home.root)
        self.home.ensure()
        self.home.config_path.write_text(
            '[defaults]\nupstream = "local"\n[upstreams.local]\nkind = "openai"\n'
            f'base_url = "{engine}"\nmodels = ["m"]\n',
            encoding="utf-8",
        )
        self.key, self.secret = KeyStore(self.home).create("editor")
        argv = [sys.executable, "-m", "moor", "gateway", "--port", "0", "--json"]
        self.process = subprocess.Popen(argv, env=moor_home.environ, stdout=subprocess.PIPE, encoding="utf-8")
        assert self.process.stdout is not None
        self.url = json.loads(self.process.stdout.readline())["url"]

    def ask(self, key: str = "") -> Any:
        """One chat call; the status where it is refused."""
        request = urllib.request.Request(
            f"{self.url}/openai/v1/chat/completions",
            data=b'{"model":"m","messages":[]}',
            headers={"Authorization": f"Bearer {key or self.secret.reveal()}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code

    def close(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def standalone(moor_home: MoorHome, engine: str) -> Iterator[Standalone]:
    """A gateway that serves."""
    made = Standalone(moor_home, engine)
    yield made
    made.close()


@pytest.mark.feature("F3.7", "F3.16")
def test_a_key_works_until_it_is_revoked(standalone: Standalone) -> None:
    assert standalone.ask() == ANSWER
    assert standalone.ask("moor-some-other-key-that-nobody-made") == 401
    KeyStore(standalone.home).revoke("editor")
    for _ in range(60):
        if standalone.ask() == 401:
            break
        time.sleep(0.05)
    assert standalone.ask() == 401


def test_a_key_made_while_it_runs_is_taken(standalone: Standalone) -> None:
    _, secret = KeyStore(standalone.home).create("later")
    for _ in range(60):
        if standalone.ask(secret.reveal()) == ANSWER:
            break
        time.sleep(0.05)
    assert standalone.ask(secret.reveal()) == ANSWER


@pytest.mark.feature("F13.8")
def test_a_key_at_its_cap_is_told_so_by_name_and_goes_on_when_a_person_raises_it(
    standalone: Standalone, run_moor: Any
) -> None:
    _, secret = KeyStore(standalone.home).create("small", budget_tokens=1)
    for _ in range(60):
        if standalone.ask(secret.reveal()) == 403:
            break
        time.sleep(0.05)
    assert standalone.ask(secret.reveal()) == 403
    rows = {row["name"]: row for row in run_moor("budget", "show", "--json").last_json}
    assert (rows["key:small"]["per"], rows["key:small"]["limit"], rows["key:small"]["unit"]) == ("key", 1, "tokens")
    error = run_moor("calls", "list", "--json").last_json[0]["error"]
    assert error.startswith("budget-reached: calls of key small have used")
    assert run_moor("budget", "raise", "key:small", "--usd", "5").code == 2
    assert run_moor("budget", "raise", "key:small", "--tokens", "90k").code == 0
    for _ in range(60):
        if standalone.ask(secret.reveal()) == ANSWER:
            break
        time.sleep(0.05)
    assert standalone.ask(secret.reveal()) == ANSWER


@pytest.mark.feature("F13.8", "F8.6")
def test_the_labels_of_a_key_are_those_of_its_calls(standalone: Standalone, run_moor: Any) -> None:
    _, secret = KeyStore(standalone.home).create("labelled", tags={"team": "ml"})
    for _ in range(60):
        if standalone.ask(secret.reveal()) == ANSWER:
            break
        time.sleep(0.05)
    for _ in range(60):
        rows = {row["tag:team"]: row for row in run_moor("usage", "--by", "tag:team", "--json").last_json}
        if "ml" in rows:
            break
        time.sleep(0.05)
    assert rows["ml"]["calls"] == 1


def test_ctrl_c_ends_it_with_exit_code_0(standalone: Standalone) -> None:
    standalone.ask()
    standalone.process.send_signal(signal.SIGINT)
    assert standalone.process.wait(10) == 0


def test_a_taken_port_is_named_with_what_to_type(run_moor: Any, moor_home: MoorHome) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run_moor("gateway", "--port", str(taken.getsockname()[1]))
    assert done.code == 2
    assert "another program uses it" in done.stderr
    assert "moor gateway --port 0" in done.stderr


def test_an_address_that_others_reach_needs_a_word(run_moor: Any) -> None:
    done = run_moor("gateway", "--port", "0", "--host", "0.0.0.0")
    assert done.code == 2
    assert "--allow-remote" in done.stderr


def test_without_an_upstream_the_command_to_type_is_shown(run_moor: Any) -> None:
    done = run_moor("gateway", "--port", "0")
    assert done.code == 2
    assert "moor login" in done.stderr


def test_a_key_is_a_session_with_its_own_policy_and_cap(moor_home: MoorHome) -> None:
    home = Home(moor_home.root)
    policy = Policy((PolicyLayer("key", allow=("claude-*",)),))
    _, secret = KeyStore(home).create("narrow", "other", policy, 5_000, {"team": "y"})
    above = Policy((PolicyLayer("user", deny=("*-secret",)),))
    usual = (
        Cap(name="session", per=SESSION, unit=MONEY, limit=9_000, level="user"),
        Cap(name="session", per=SESSION, unit=TOKENS, limit=70, level="administrator"),
        Cap(name="team", per=SESSION, unit=TOKENS, limit=5, level="user", tag="team=x"),
        Cap(name="ours", per=DAY, unit=TOKENS, limit=6, level="user", tag="team=y"),
        Cap(name="elsewhere", per=SESSION, unit=MONEY, limit=5, level="user", upstream="local"),
    )
    keys = StoreKeys(home, upstream="local", policy=above, caps=usual)
    keys.read()
    session = keys.find(key_hash(secret.reveal()))
    assert session is not None
    assert session.upstream == "other"
    found = [(cap.name, cap.limit, cap.level, cap.session) for cap in session.all_caps()]
    assert found == [
        ("key:narrow", 5_000, "key", session.id),
        ("key:narrow", 70, "administrator", session.id),
        ("ours", 6, "user", ""),
    ]
    assert session.tags == {"team": "y"}
    assert session.policy.why_not("claude-secret") is not None
    assert session.policy.why_not("gpt-5") is not None
    assert session.policy.why_not("claude-4") is None
    keys.read()
    assert keys.find(key_hash(secret.reveal())) is session


def test_only_a_key_that_has_ended_ends_its_calls_and_not_one_that_cannot_be_looked_up(moor_home: MoorHome) -> None:
    home = Home(moor_home.root)
    store = KeyStore(home)
    _, stays = store.create("stays")
    _, goes = store.create("goes")
    keys = StoreKeys(home, upstream="local", policy=Policy(), patience=1)
    keys.start()
    try:
        assert not keys.revoked
        store.revoke("goes")
        for _ in range(60):
            if keys.revoked:
                break
            time.sleep(0.05)
        assert keys.revoked == {key_hash(goes.reveal())}
        home.db_path.rename(home.db_path.with_suffix(".away"))
        home.db_path.mkdir()
        for _ in range(60):
            if keys.find(key_hash(stays.reveal())) is None:
                break
            time.sleep(0.05)
        assert keys.find(key_hash(stays.reveal())) is None
        assert keys.revoked == {key_hash(goes.reveal())}
    finally:
        keys.close()
