"""Addresses behind which something else answers, or nothing: said in words, with exit code 4, within bounds."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moor.sim.config import SimConfig
from moor.sim.embedded import EmbeddedSim
from tests.support.home import MoorHome
from tests.support.moor import Done
from tests.support.trouble import assert_no_secret, assert_result, assert_told
from tests.support.web import Asked, Authority, Said, private_authority, serve_web

Run = Callable[..., Done]


@pytest.fixture
def dead_url() -> Iterator[str]:
    """A port on which nobody listens, held so that nobody will."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A certificate that no system trusts."""
    folder = tmp_path / "pki"
    folder.mkdir()
    return private_authority(folder)


def login(run_moor: Run, url: str, token: str = "dapi0123456789abcdef", **how: Any) -> Done:
    """Sign in with a token from a pipe."""
    return run_moor("login", "--host", url, "--pat", stdin=token + "\n", timeout=40, **how)


def test_a_port_that_refuses_is_unreachable(run_moor: Run, dead_url: str, moor_home: MoorHome) -> None:
    for done in (
        run_moor("login", "--host", dead_url, "--no-browser"),
        login(run_moor, dead_url),
        run_moor("upstream", "add", "e", "--kind", "openai", "--base-url", f"{dead_url}/v1"),
    ):
        assert_told(done, 4, "unreachable", "connection refused", "moor ")
    assert_no_secret(moor_home.user, ["dapi0123456789abcdef"])


def test_a_name_that_nobody_knows_is_unreachable(run_moor: Run) -> None:
    done = run_moor("login", "--host", "https://workspace.invalid", "--no-browser")
    assert_told(done, 4, "unreachable", "workspace.invalid", "its name is not known", "moor auth status --check")


def test_a_run_whose_models_cannot_be_asked_for_ends_with_a_result(run_moor: Run, dead_url: str) -> None:
    run_moor("upstream", "add", "e", "--kind", "openai", "--base-url", f"{dead_url}/v1")
    done = run_moor("run", "--json", "hello")
    assert_told(done, 4, "unreachable", "connection refused")
    assert_result(done, "failed", "unreachable")


@pytest.mark.parametrize("address", ["http://workspace.example", "http://10.1.2.3:8080", "http://[2001:db8::1]"])
def test_plain_text_leaves_this_machine_only_when_asked_for(address: str, run_moor: Run) -> None:
    for argv in (
        ["login", "--host", address, "--no-browser"],
        ["upstream", "add", "w", "--kind", "databricks", "--host", address],
        ["upstream", "add", "e", "--kind", "openai", "--base-url", f"{address}/v1"],
    ):
        assert_told(run_moor(*argv), 2, "plaintext-refused", "not encrypted", "https://")


PAGES: dict[str, Said] = {
    "a login page": Said(200, b"<!doctype html><title>Hotel</title>", {"content-type": "text/html"}),
    "a page that claims to be JSON": Said(200, b"<html>hi</html>", {"content-type": "application/json"}),
    "a redirect to a login page": Said(302, b"", {"location": "https://login.example/"}),
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_in_place_of_an_answer_is_told(page: str, run_moor: Run, moor_home: MoorHome) -> None:
    with serve_web(lambda _: PAGES[page]) as web:
        done = login(run_moor, web.url)
        seen = done.stderr.split("error: ")[1].partition(":")[0]
        assert seen in ("not-json", "redirected-away"), done.stderr
        assert_told(done, 4, seen, web.url)
        asked: list[Asked] = list(web.asked)
    assert asked
    assert_no_secret(moor_home.user, ["dapi0123456789abcdef"], done.stdout, done.stderr)


def test_a_certificate_that_nobody_vouches_for_is_told_with_the_setting(run_moor: Run, authority: Authority) -> None:
    with serve_web(lambda _: Said(), authority.server) as web:
        done = login(run_moor, web.url)
        assert_told(done, 4, "tls-failed", "127.0.0.1", "ca_file")
        assert web.asked == [], "nothing was said to a host that nobody vouches for"


@pytest.mark.parametrize("how", ["setting", "SSL_CERT_FILE"])
def test_with_the_authority_named_the_same_address_works(
    how: str, run_moor: Run, tmp_path: Path, authority: Authority
) -> None:
    pki = tmp_path / "pki"
    config = SimConfig(tls_cert=str(pki / "s.pem"), tls_key=str(pki / "s.key"))
    with EmbeddedSim(config) as sim:
        token = sim.control.mint().reveal()
        refused = login(run_moor, sim.url, token)
        assert_told(refused, 4, "tls-failed", "ca_file")
        if how == "setting":
            added = run_moor("upstream", "add", "w", "--kind", "databricks", "--host", sim.url)
            assert added.code == 0, added.stderr
            set_ca = run_moor("config", "set", "upstreams.w.ca_file", str(authority.ca_file))
            assert set_ca.code == 0, set_ca.stderr
            done = run_moor("login", "--upstream", "w", "--pat", stdin=token + "\n")
        else:
            done = login(run_moor, sim.url, token, env={"SSL_CERT_FILE": str(authority.ca_file)})
    assert done.code == 0, done.stderr
    assert "dev@example.com" in done.stderr


def test_an_authority_that_is_no_certificate_is_told(run_moor: Run, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate", encoding="utf-8")
    run_moor("upstream", "add", "w", "--kind", "databricks", "--host", "https://127.0.0.1:9")
    run_moor("config", "set", "upstreams.w.ca_file", str(tmp_path / "ca.pem"))
    done = run_moor("login", "--upstream", "w", "--pat", stdin="dapi0123456789abcdef\n")
    assert_told(done, 2, "ca-file-invalid", "ca.pem", "PEM")


@pytest.mark.feature("F1.4", "F7.9")
def test_a_token_that_the_workspace_refuses_is_not_kept(run_moor: Run, sim: EmbeddedSim, moor_home: MoorHome) -> None:
    foreign = "dapi" + "0" * 32
    done = login(run_moor, sim.url, foreign)
    assert_told(done, 3, "token-refused", "does not accept the token")
    assert_no_secret(moor_home.user, [foreign], done.stdout, done.stderr)
    store = moor_home.root / "credentials.json"
    assert not store.exists() or foreign not in store.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "token", ["", "\n", "two words", "tok\x00en"], ids=["nothing", "a line end", "words", "a nul"]
)
def test_a_token_that_can_be_none_is_refused_before_it_is_sent(token: str, run_moor: Run, sim: EmbeddedSim) -> None:
    done = run_moor("login", "--host", sim.url, "--pat", stdin=token)
    assert_told(done, 3, "token-malformed" if token.strip() else "token-missing", "standard input")
    assert not [row for row in sim.control.requests() if row["path"].endswith("/Me")]


@pytest.mark.parametrize("skew_s", [-100_000.0, 100_000.0], ids=["behind", "ahead"])
def test_a_clock_that_is_far_off_does_not_lose_the_sign_in(skew_s: float, run_moor: Run, sim: EmbeddedSim) -> None:
    token = sim.control.mint(ttl_s=10_000_000).reveal()
    sim.control.advance(skew_s)
    done = login(run_moor, sim.url, token)
    if done.code:
        assert_told(done, 3, "clock-skew", "set the clock", "moor login")
    else:
        assert run_moor("models", "--refresh").code == 0


def test_a_revoked_token_is_told_by_the_reading_command(run_moor: Run, sim: EmbeddedSim, moor_home: MoorHome) -> None:
    token = sim.control.mint().reveal()
    assert login(run_moor, sim.url, token).code == 0
    sim.control.revoke_all(refresh_too=True)
    done = run_moor("models", "--refresh")
    assert done.code == 3, done.stderr
    assert "hint: moor login" in done.stderr
    assert_no_secret(moor_home.user, [token], done.stdout, done.stderr)
    models = run_moor("models")
    assert models.code == 0, "what was listed before is not lost"
