"""`moor login`, `logout`, `auth status`: the real command against the simulated workspace."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from moor.sim.config import SimConfig
from moor.sim.embedded import EmbeddedSim
from moor.store.credentials import CredentialStore
from moor.store.home import Home
from tests.support.home import MoorHome
from tests.support.moor import Done, moor_command
from tests.support.terminal import Terminal
from tests.support.web import Said, private_authority, serve_web

Run = Callable[..., Done]

BROWSER = f"{sys.executable} -c 'import sys,urllib.request as u; u.urlopen(sys.argv[1]).read()' %s"
"""a browser that follows the redirects of the page it is given"""


def login(run_moor: Run, sim: EmbeddedSim, *more: str, **env: str) -> Done:
    return run_moor("login", "--host", sim.url, *more, env={"BROWSER": BROWSER, **env})


def stored(home: MoorHome, name: str = "local") -> Any:
    return CredentialStore(Home(home.root)).load(name)


@pytest.mark.feature("F1.1", "F7.2")
def test_a_browser_login_creates_the_upstream_and_names_the_next_command(
    run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim
) -> None:
    done = login(run_moor, sim)
    assert done.code == 0, done.stderr
    assert "as dev@example.com" in done.stderr
    assert "next: moor opencode" in done.stderr
    text = (moor_home.root / "config.toml").read_text(encoding="utf-8")
    assert f'host = "{sim.url}"' in text
    assert 'upstream = "local"' in text
    assert 'model = "system.ai.claude-sonnet' in text
    credential = stored(moor_home)
    assert credential.user == "dev@example.com"
    assert stat.S_IMODE((moor_home.root / "credentials.json").stat().st_mode) == 0o600
    for secret in (credential.access_token, credential.refresh_token):
        assert secret.reveal() not in done.stdout + done.stderr + text


@pytest.mark.feature("F1.6")
def test_a_second_login_renews_and_writes_no_second_upstream(
    run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim
) -> None:
    login(run_moor, sim)
    first, config = stored(moor_home), (moor_home.root / "config.toml").read_bytes()
    assert run_moor("login", env={"BROWSER": BROWSER}).code == 0
    assert login(run_moor, sim).code == 0
    assert run_moor("login", "--upstream", "local", env={"BROWSER": BROWSER}).code == 0
    assert stored(moor_home).generation != first.generation
    assert (moor_home.root / "config.toml").read_bytes() == config


@pytest.mark.feature("F1.8")
def test_two_workspaces_stand_side_by_side(run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim) -> None:
    login(run_moor, sim)
    with EmbeddedSim(SimConfig()) as second:
        assert login(run_moor, second, "--upstream", "two").code == 0
        assert run_moor("auth", "status", "--check").code == 0
    assert stored(moor_home).host == sim.url
    assert stored(moor_home, "two").host == second.url
    rows = run_moor("upstream", "list", "--json").last_json
    assert [(row["name"], row["default"]) for row in rows] == [("local", True), ("two", False)]


@pytest.mark.feature("F1.7")
def test_over_ssh_the_redirect_is_pasted(moor_home: MoorHome, sim: EmbeddedSim) -> None:
    with subprocess.Popen(
        [*moor_command(), "login", "--host", sim.url, "--no-browser"],
        env=moor_home.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stderr is not None
        url = next(line.strip() for line in process.stderr if line.strip().startswith(sim.url))
        redirect = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{redirect_url}", url], capture_output=True, check=True
        ).stdout.decode()
        assert redirect.startswith("http://localhost:80")
        _, err = process.communicate(redirect + "\n", timeout=30)
        assert process.returncode == 0, err
    assert stored(moor_home).user == "dev@example.com"


def test_a_pasted_answer_to_another_sign_in_is_refused(run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim) -> None:
    pasted = "http://localhost:8020/?" + urlencode({"code": "x", "state": "other"})
    done = run_moor("login", "--host", sim.url, "--no-browser", stdin=pasted + "\n")
    assert done.code == 3
    assert "sign-in-mismatch" in done.stderr
    assert not (moor_home.root / "config.toml").exists()


def test_a_refused_sign_in_is_told_in_the_words_of_the_page(run_moor: Run, sim: EmbeddedSim) -> None:
    refuse = BROWSER.replace("sys.argv[1]", 'sys.argv[1]+"&sim_consent=deny"')
    done = run_moor("login", "--host", sim.url, env={"BROWSER": refuse})
    assert done.code == 3
    assert "sign-in-refused" in done.stderr
    assert "access_denied" in done.stderr


@pytest.mark.feature("F1.2", "F1.3")
@pytest.mark.parametrize("way", ["environment", "pipe", "profile"])
def test_a_personal_token_is_taken_without_a_terminal(
    run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim, way: str
) -> None:
    token = sim.control.mint().reveal()
    if way == "environment":
        done = run_moor("login", "--host", sim.url, "--pat", env={"DATABRICKS_TOKEN": token})
    elif way == "pipe":
        done = run_moor("login", "--host", sim.url, "--pat", stdin=f"{token}\n")
    else:
        (moor_home.user / ".databrickscfg").write_text(
            f"[dev]\nhost = {sim.url}/\ntoken = {token}\n", encoding="utf-8"
        )
        done = run_moor("login", "--profile", "dev", "--pat")
    assert done.code == 0, done.stderr
    assert "as dev@example.com" in done.stderr
    assert token not in done.stdout + done.stderr
    assert run_moor("auth", "status", "--check").code == 0
    names = [row["name"] for row in run_moor("upstream", "list", "--json").last_json]
    assert names == ["dev" if way == "profile" else "local"]


def test_host_and_token_of_the_environment_belong_together(run_moor: Run, sim: EmbeddedSim) -> None:
    token = sim.control.mint().reveal()
    env = {"DATABRICKS_TOKEN": token, "DATABRICKS_HOST": "https://other.example"}
    done = run_moor("login", "--host", sim.url, "--pat", env=env)
    assert done.code == 3
    assert "token-missing" in done.stderr
    env["DATABRICKS_HOST"] = sim.url
    assert run_moor("login", "--pat", env=env).code == 0


@pytest.mark.feature("F1.4")
def test_a_token_is_typed_without_an_echo(moor_home: MoorHome, sim: EmbeddedSim) -> None:
    token = sim.control.mint().reveal()
    with Terminal(["login", "--host", sim.url, "--pat"], moor_home.environ, moor_home.work) as terminal:
        terminal.expect("not shown")
        terminal.type(token)
        assert terminal.end() == 0, terminal.text
    assert token not in terminal.text


def test_a_dead_personal_token_writes_nothing(run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim) -> None:
    done = run_moor("login", "--host", sim.url, "--pat", stdin="dapi00000000000000000000000000000000\n")
    assert done.code == 3
    assert "token-refused" in done.stderr
    assert not (moor_home.root / "config.toml").exists()
    assert stored(moor_home) is None


@pytest.mark.feature("F1.5")
def test_a_service_principal_is_set_up_from_the_environment(run_moor: Run, sim: EmbeddedSim) -> None:
    client_id, secret = sim.control.service_principal()
    env = {"DATABRICKS_CLIENT_ID": client_id, "DATABRICKS_CLIENT_SECRET": secret.reveal()}
    assert run_moor("login", "--host", sim.url, "--service-principal", env=env).code == 0
    assert run_moor("models", "--refresh", env=env).code == 0
    done = run_moor("models", "--refresh")
    assert done.code == 3
    assert "DATABRICKS_CLIENT_ID" in done.stderr


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("login",), 2, "no-upstream"),
        (("login", "--upstream", "nope"), 2, "unknown-upstream"),
        (("login", "--profile", "nope", "--pat"), 2, "profile-unknown"),
        (("login", "--host", "http://ws.example"), 2, "plaintext-refused"),
        (("login", "--host", "https://a b"), 2, "bad-url"),
        (("login", "--host", "https://accounts.cloud.databricks.com"), 2, "account console"),
        (("login", "--host", "http://127.0.0.1:1"), 4, "unreachable"),
        (("login", "--host", "https://no-such-host.invalid"), 4, "name is not known"),
        (("login", "--hosst", "x"), 2, "moor login --help"),
        (("login", "--host", "x", "--profile", "y"), 2, "not allowed with"),
        (("logout",), 2, "no-upstream"),
        (("logout", "nope"), 2, "unknown-upstream"),
    ],
)
def test_wrong_use_is_answered_with_the_next_command(
    run_moor: Run, moor_home: MoorHome, argv: tuple[str, ...], code: int, words: str
) -> None:
    done = run_moor(*argv)
    assert done.code == code, done.stderr
    assert words in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (moor_home.root / "config.toml").exists()


def test_a_malformed_profile_file_is_told_with_its_line(run_moor: Run, moor_home: MoorHome) -> None:
    (moor_home.user / ".databrickscfg").write_text("[dev]\nhost\n", encoding="utf-8")
    done = run_moor("login", "--profile", "dev", "--pat")
    assert done.code == 2
    assert ".databrickscfg, line 2" in done.stderr


def test_a_page_instead_of_a_workspace_is_told(run_moor: Run) -> None:
    with serve_web(lambda _: Said(200, b"<!doctype html>Welcome to the hotel")) as web:
        done = run_moor("login", "--host", web.url)
    assert done.code == 4
    assert "an HTML page" in done.stderr


@pytest.mark.feature("F1.3")
def test_a_private_authority_is_refused_until_it_is_named(run_moor: Run, moor_home: MoorHome, tmp_path: Path) -> None:
    authority = private_authority(tmp_path)
    with serve_web(lambda _: Said(404), authority.server) as web:
        done = run_moor("login", "--host", web.url)
        assert done.code == 4
        assert "ca_file" in done.stderr
        named = run_moor(
            *("login", "--host", web.url, "--pat"), stdin="dapi0\n", env={"SSL_CERT_FILE": str(authority.ca_file)}
        )
    assert "tls-failed" not in named.stderr


@pytest.mark.feature("F1.3")
def test_a_workspace_behind_a_private_authority_is_signed_in_to_and_the_authority_kept(
    run_moor: Run, moor_home: MoorHome, tmp_path: Path
) -> None:
    authority = private_authority(tmp_path)
    tls = SimConfig(tls_cert=str(tmp_path / "s.pem"), tls_key=str(tmp_path / "s.key"))
    with EmbeddedSim(tls) as sim:
        token = sim.control.mint().reveal() + "\n"
        (moor_home.work / "ca.pem").write_bytes(authority.ca_file.read_bytes())
        done = run_moor("login", "--host", sim.url, "--pat", "--ca-file", "ca.pem", stdin=token)
        assert done.code == 0, done.stderr
        assert run_moor("models", "--refresh", cwd=moor_home.user).code == 0


def test_a_proxy_of_the_environment_is_never_used_for_this_machine(run_moor: Run, sim: EmbeddedSim) -> None:
    env = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), "http://127.0.0.1:1")
    token = sim.control.mint().reveal()
    done = run_moor("login", "--host", sim.url, "--pat", stdin=f"{token}\n", env=env)
    assert done.code == 0, done.stderr


def test_a_clock_that_is_far_off_is_told(run_moor: Run, sim: EmbeddedSim) -> None:
    token = sim.control.mint().reveal() + "\n"
    assert run_moor("login", "--host", sim.url, "--pat", stdin=token).code == 0
    sim.control.fault("*/scim/v2/Me", status=401, headers={"Date": "Tue, 01 Nov 2022 08:00:00 GMT"})
    done = run_moor("models", "--refresh")
    assert done.code == 3
    assert "clock-skew" in done.stderr
    assert "ahead of" in done.stderr


def test_a_session_of_yesterday_needs_a_sign_in(run_moor: Run, sim: EmbeddedSim) -> None:
    login(run_moor, sim)
    sim.control.advance(90_000)
    sim.control.revoke_all(refresh_too=True)
    done = run_moor("auth", "status", "--check")
    assert done.code == 3
    assert "moor login --upstream local" in done.stderr


def test_an_ended_session_is_one_sentence_and_the_command(run_moor: Run, sim: EmbeddedSim) -> None:
    login(run_moor, sim)
    sim.control.revoke_all(refresh_too=True)
    done = run_moor("models", "--refresh")
    assert done.code == 3
    assert "the session has ended" in done.stderr
    assert "hint: moor login --upstream local" in done.stderr
    status = run_moor("auth", "status")
    assert status.code == 3, status.stdout
    assert login(run_moor, sim).code == 0
    assert run_moor("models", "--refresh").code == 0


@pytest.mark.feature("F2.3")
@pytest.mark.parametrize("form", ["turns", "numeric-403", "invalid-token-400", "jwt-expired-403"])
def test_a_dead_access_token_is_renewed_without_a_word(run_moor: Run, sim: EmbeddedSim, form: str) -> None:
    login(run_moor, sim)
    sim.control.dead_credential(form)
    sim.control.revoke_all()
    done = run_moor("models", "--refresh", "--json")
    assert done.code == 0, done.stderr
    assert len(done.last_json) > 20


def test_a_logout_forgets_the_credential_of_one_upstream(
    run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim
) -> None:
    login(run_moor, sim)
    login(run_moor, sim, "--upstream", "two")
    assert "signed out of local" in run_moor("logout").stderr
    assert stored(moor_home) is None
    assert run_moor("logout", "--all").code == 0
    assert "nobody was signed in" in run_moor("logout").stderr
    done = run_moor("models", "--refresh")
    assert done.code == 3


def test_the_status_of_all_upstreams_is_told_without_network(run_moor: Run, sim: EmbeddedSim) -> None:
    assert run_moor("auth", "status").code == 0
    login(run_moor, sim)
    asked = len(sim.control.requests())
    row = run_moor("auth", "status", "--json").last_json[0]
    assert len(sim.control.requests()) == asked
    assert (row["upstream"], row["auth"], row["user"], row["state"]) == ("local", "oauth", "dev@example.com", "ok")
    assert row["renewed"] is True
    assert row["expires_at"] > 0
    assert json.dumps(row).count("eyJ") == 0


@pytest.mark.feature("F2.7")
def test_twenty_processes_on_one_dead_token_present_each_refresh_token_once(
    run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim
) -> None:
    login(run_moor, sim)
    sim.control.revoke_all()
    results: list[Done] = []
    threads = [
        threading.Thread(target=lambda: results.append(run_moor("models", "--refresh", "--json", timeout=100)))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [done.code for done in results] == [0] * 20, [done.stderr for done in results if done.code]
    counts = sim.control.tokens()
    assert counts["refresh_presented_twice"] == 0, counts
    assert counts["refreshes"] == 1, counts
    assert run_moor("models", "--refresh").code == 0
