"""The control-plane client against real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from moor.clock import SystemClock
from moor.errors.net import AnswerTooLarge, CaFileInvalid, NotJson, RedirectedAway, TlsFailed, Unreachable
from moor.net.client import MAX_BYTES, HttpClient
from moor.net.url import parse_base
from moor.secrets import Secret
from tests.support.web import Asked, Said, private_authority, serve_web

pytestmark = pytest.mark.usefixtures("no_leaks")


@contextmanager
def client_of(url: str, **more: Any) -> Iterator[HttpClient]:
    client = HttpClient(parse_base(url), environ=more.pop("environ", {}), sleep=lambda _s: None, **more)
    try:
        yield client
    finally:
        client.close()


def test_an_answer_of_any_status_is_returned_with_headers_and_body() -> None:
    with serve_web(lambda _: Said(404, b'{"message":"none"}', {"X-One": "1"})) as web, client_of(web.url) as client:
        answer = client.get("/a", {"b": "c d"}, token=Secret("tok"))
    assert (answer.status, answer.headers["x-one"], answer.json()) == (404, "1", {"message": "none"})
    assert answer.url == f"{web.url}/a"
    [asked] = web.asked
    assert (asked.target, asked.headers["authorization"]) == ("/a?b=c+d", "Bearer tok")
    assert asked.headers["user-agent"].startswith("moor/")


def test_a_prefix_of_the_base_stands_before_every_path() -> None:
    with serve_web(lambda _: Said()) as web, client_of(web.url + "/behind/proxy") as client:
        client.get("/api/x")
    assert web.asked[0].target == "/behind/proxy/api/x"


@pytest.mark.parametrize("status", [429, 499, 503, 504])
def test_a_read_is_repeated_when_the_host_asks_for_patience(status: int) -> None:
    answers = [Said(status, b"", {"Retry-After": "0"}), Said(status), Said(200, b'{"a":1}')]
    with serve_web(lambda _: answers.pop(0)) as web, client_of(web.url) as client:
        assert client.get("/x").json() == {"a": 1}
    assert len(web.asked) == 3


def test_patience_ends_with_the_fourth_try() -> None:
    with serve_web(lambda _: Said(503)) as web, client_of(web.url) as client:
        assert client.get("/x").status == 503
    assert len(web.asked) == 4


def test_a_wait_longer_than_the_budget_is_not_begun() -> None:
    with serve_web(lambda _: Said(429, b"", {"Retry-After": "3600"})) as web, client_of(web.url) as client:
        assert client.get("/x").status == 429
    assert len(web.asked) == 1


def test_a_post_is_sent_once_whatever_comes() -> None:
    with serve_web(lambda _: Said(503)) as web, client_of(web.url) as client:
        assert client.post_form("/t", {"a": "b&c"}, basic=("me", Secret("pw"))).status == 503
    [asked] = web.asked
    assert (asked.method, asked.body, asked.headers["authorization"]) == ("POST", b"a=b%26c", "Basic bWU6cHc=")


def test_a_redirect_on_the_same_host_is_followed() -> None:
    def answer(asked: Asked) -> Said:
        return Said(200, b"[1]") if asked.path == "/b" else Said(302, b"", {"Location": "/b?x=1"})

    with serve_web(answer) as web, client_of(web.url) as client:
        assert client.get("/a").json() == [1]
    assert [asked.target for asked in web.asked] == ["/a", "/b?x=1"]


@pytest.mark.parametrize(
    "location",
    ["https://evil.example/a", "http://127.0.0.1:1/a", "//evil.example/", "/login.html?error=private-link"],
)
def test_a_redirect_to_another_place_or_a_login_page_is_an_error(location: str) -> None:
    with (
        serve_web(lambda _: Said(302, b"", {"Location": location})) as web,
        client_of(web.url) as client,
        pytest.raises(RedirectedAway),
    ):
        client.get("/a", token=Secret("tok"))
    assert len(web.asked) == 1


def test_a_circle_of_redirects_ends() -> None:
    with (
        serve_web(lambda _: Said(302, b"", {"Location": "/a"})) as web,
        client_of(web.url) as client,
        pytest.raises(RedirectedAway),
    ):
        client.get("/a")


def test_an_answer_beyond_the_bound_is_dropped() -> None:
    with (
        serve_web(lambda _: Said(200, b"x" * (MAX_BYTES + 1))) as web,
        client_of(web.url) as client,
        pytest.raises(AnswerTooLarge),
    ):
        client.get("/a")


def test_a_page_instead_of_json_is_named() -> None:
    with serve_web(lambda _: Said(200, b"<!DOCTYPE html><p>Wi-Fi")) as web, client_of(web.url) as client:
        answer = client.get("/a")
    assert answer.is_html
    with pytest.raises(NotJson, match="an HTML page"):
        answer.json()


def test_a_refused_connection_says_so_and_nothing_was_sent() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    with (
        client_of(f"http://127.0.0.1:{port}") as client,
        pytest.raises(Unreachable, match="connection refused") as caught,
    ):
        client.get("/a")
    assert not caught.value.arrived
    assert caught.value.exit_code == 4


def test_an_unknown_name_says_so() -> None:
    with client_of("https://no-such-host.invalid") as client, pytest.raises(Unreachable, match="name is not known"):
        client.get("/a")


@contextmanager
def raw_server(send: bytes, *, close: bool) -> Iterator[str]:
    """Sends these bytes to every client, then closes or stays silent."""
    listening = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def run() -> None:
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:
                return
            sock.recv(65536)
            sock.sendall(send)
            if close:
                sock.close()
            else:
                held.append(sock)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()
        for sock in held:
            sock.close()


def test_silence_ends_within_the_total_time_and_may_have_arrived() -> None:
    with (
        raw_server(b"", close=False) as url,
        client_of(url, total_s=0.4) as client,
        pytest.raises(Unreachable, match="no answer within") as caught,
    ):
        client.post_form("/a", {})
    assert caught.value.arrived


def test_a_body_that_drips_ends_within_the_total_time() -> None:
    with (
        raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", close=False) as url,
        client_of(url, total_s=0.4) as client,
        pytest.raises(Unreachable),
    ):
        client.get("/a")


@pytest.mark.parametrize(
    "send", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc", b"garbage\r\n\r\n", b"\x16\x03\x01"]
)
def test_a_cut_or_senseless_answer_is_unreachable_not_a_crash(send: bytes) -> None:
    with raw_server(send, close=True) as url, client_of(url) as client, pytest.raises(Unreachable):
        client.get("/a")


def test_an_unknown_authority_is_refused_and_the_option_named(tmp_path: Path) -> None:
    authority = private_authority(tmp_path)
    with (
        serve_web(lambda _: Said(), authority.server) as web,
        client_of(web.url) as client,
        pytest.raises(TlsFailed, match="certificate") as caught,
    ):
        client.get("/a")
    assert "ca_file" in caught.value.hint
    assert web.asked == []


@pytest.mark.parametrize("setting", ["ca_file", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_private_authority_is_accepted_once_it_is_named(tmp_path: Path, setting: str) -> None:
    authority = private_authority(tmp_path)
    path = str(authority.ca_file)
    more: dict[str, Any] = {"ca_file": path} if setting == "ca_file" else {"environ": {setting: path}}
    with serve_web(lambda _: Said(), authority.server) as web, client_of(web.url, **more) as client:
        assert client.get("/a").status == 200


def test_a_file_of_authorities_that_does_not_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.pem").write_text("nothing", encoding="ascii")
    for path in (tmp_path / "bad.pem", tmp_path / "absent.pem"):
        with pytest.raises(CaFileInvalid, match=path.name) as caught:
            HttpClient(parse_base("https://a.example"), environ={"SSL_CERT_FILE": str(path)})
        assert "SSL_CERT_FILE" in caught.value.hint


def test_the_file_of_this_process_counts_and_is_told_where_it_does_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that OpenSSL reads by itself, without a word about a broken one."""
    authority = private_authority(tmp_path)
    good, bad = authority.ca_file, tmp_path / "bad.pem"
    bad.write_text("nothing", encoding="ascii")
    for path in (good, bad):
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        environ = {"SSL_CERT_FILE": str(path), "REQUESTS_CA_BUNDLE": str(path)}
        with serve_web(lambda _: Said(), authority.server) as web:
            if path is good:
                with client_of(web.url, environ=environ) as client:
                    assert client.get("/a").status == 200
            else:
                with pytest.raises(CaFileInvalid, match=bad.name):
                    HttpClient(parse_base(web.url), environ=environ)


def test_plain_http_on_a_tls_address_is_explained() -> None:
    with (
        serve_web(lambda _: Said()) as web,
        client_of(web.url.replace("http:", "https:")) as client,
        pytest.raises(TlsFailed, match="no trusted TLS"),
    ):
        client.get("/a")


def test_a_proxy_that_refuses_is_named_without_its_password() -> None:
    with serve_web(lambda _: Said(407)) as web:
        proxy = web.url.replace("//", "//user:hunter2@")
        with (
            client_of("https://dbc.example.invalid", environ={"HTTPS_PROXY": proxy}) as client,
            pytest.raises(Unreachable, match=f"127.0.0.1:{web.port}") as caught,
        ):
            client.get("/a")
    assert "hunter2" not in str(caught.value)
    assert web.asked[0].headers["proxy-authorization"] == "Basic dXNlcjpodW50ZXIy"


def test_the_server_clock_is_read_from_its_answer() -> None:
    with serve_web(lambda _: Said()) as web, client_of(web.url) as client:
        at = client.get("/a").server_time()
    assert at is not None
    assert abs(at - SystemClock().now()) < 60
