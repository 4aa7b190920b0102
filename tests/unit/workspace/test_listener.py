"""The loopback listener of a sign-in, with real browsers' habits."""

from __future__ import annotations

import os
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from moor.clock import ManualClock, SystemClock
from moor.errors.auth import SignInPortsBusy, SignInRefused
from moor.workspace.listener import FIRST_PORT, LAST_PORT, RedirectListener
from moor.workspace.redirect import Redirect

pytestmark = pytest.mark.usefixtures("no_leaks")
HOST = "https://ws.example"


@contextmanager
def meanwhile(work: Callable[[], object]) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join(10)


def get(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait(listener: RedirectListener, wait_s: float = 5.0) -> Redirect | None:
    return listener.wait("st", HOST, SystemClock(), wait_s)


@pytest.mark.feature("F1.1")
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_the_redirect_is_taken_on_both_address_families(host: str) -> None:
    pages: list[tuple[int, str]] = []
    with RedirectListener() as listener:
        assert FIRST_PORT <= listener.port <= LAST_PORT
        assert listener.redirect_uri == f"http://localhost:{listener.port}"
        url = f"http://{host}:{listener.port}/?code=abc&state=st&iss=x"
        with meanwhile(lambda: pages.append(get(url))):
            redirect = wait(listener)
    assert redirect is not None
    assert redirect.code == "abc"
    [(status, page)] = pages
    assert status == 200
    assert "You can close this tab" in page


def test_stray_visits_and_foreign_answers_do_not_end_the_wait() -> None:
    pages: list[tuple[int, str]] = []
    with RedirectListener() as listener:
        base = f"http://127.0.0.1:{listener.port}"

        def browse() -> None:
            stray = ("/favicon.ico", "/?code=evil&state=other", "/?error=denied&state=other", "/?code=x")
            pages.extend(get(base + path) for path in (*stray, "/?code=good&state=st"))

        with meanwhile(browse):
            redirect = wait(listener)
    assert redirect is not None
    assert redirect.code == "good"
    assert [status for status, _ in pages] == [404, 404, 404, 404, 200]


def test_silent_and_half_sent_connections_do_not_hold_up_the_answer() -> None:
    with RedirectListener() as listener:
        address = ("127.0.0.1", listener.port)
        with socket.create_connection(address), socket.create_connection(address) as half:
            half.sendall(b"GET /?code=no")
            with meanwhile(lambda: get(f"http://127.0.0.1:{listener.port}/?code=abc&state=st")):
                redirect = wait(listener)
    assert redirect is not None
    assert redirect.code == "abc"


@pytest.mark.parametrize(
    "sent", [b"", b"\x16\x03\x01\x00", b"POST /?code=a&state=st HTTP/1.1\r\n\r\n", b"GET\r\n\r\n", b"x" * 70000]
)
def test_senseless_bytes_are_dropped(sent: bytes) -> None:
    with RedirectListener() as listener:

        def send() -> None:
            with socket.create_connection(("127.0.0.1", listener.port)) as sock, suppress(OSError):
                sock.sendall(sent)
                sock.shutdown(socket.SHUT_WR)
                sock.recv(100)

        with meanwhile(send):
            assert wait(listener, 0.5) is None


def test_a_refusal_is_shown_as_text_not_as_markup() -> None:
    pages: list[tuple[int, str]] = []
    with RedirectListener() as listener:
        url = f"http://127.0.0.1:{listener.port}/?error=%3Cscript%3E&state=st"
        with meanwhile(lambda: pages.append(get(url))):
            redirect = wait(listener)
    assert redirect is not None
    assert redirect.error == "<script>"
    assert "&lt;script&gt;" in pages[0][1]


def test_the_wait_is_bounded() -> None:
    clock = ManualClock()
    timer = threading.Timer(0.2, clock.advance, (301,))
    with RedirectListener() as listener:
        timer.start()
        assert listener.wait("st", HOST, clock, 300) is None


def test_a_taken_port_is_passed_over_and_a_full_range_is_an_error() -> None:
    with RedirectListener() as first, RedirectListener() as second:
        assert first.port != second.port
        with pytest.raises(SignInPortsBusy) as caught:
            RedirectListener(first.port, first.port)
    assert "--no-browser" in caught.value.hint


def test_a_port_taken_on_the_other_family_only_is_passed_over() -> None:
    with socket.socket(socket.AF_INET6) as sock:
        sock.bind(("::1", 0))
        sock.listen()
        with pytest.raises(SignInPortsBusy):
            RedirectListener(sock.getsockname()[1], sock.getsockname()[1])


@pytest.mark.feature("F1.7")
def test_a_pasted_redirect_is_taken_even_after_empty_lines() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as pasted, RedirectListener() as listener:
        os.write(writing, b"\n\nhttp://localhost:8020/?code=abc&state=st")
        os.close(writing)
        redirect = listener.wait("st", HOST, SystemClock(), 5, pasted)
    assert redirect is not None
    assert redirect.code == "abc"


def test_a_pasted_refusal_ends_the_wait() -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as pasted, RedirectListener() as listener:
        os.write(writing, b"http://localhost:8020/?error=access_denied&state=st\n")
        with pytest.raises(SignInRefused):
            listener.wait("st", HOST, SystemClock(), 5, pasted)
    os.close(writing)


def test_an_ended_input_leaves_the_browser_its_chance() -> None:
    with open(os.devnull, encoding="utf-8") as nothing, RedirectListener() as listener:  # noqa: PTH123
        url = f"http://127.0.0.1:{listener.port}/?code=abc&state=st"
        with meanwhile(lambda: get(url)):
            redirect = listener.wait("st", HOST, SystemClock(), 5, nothing)
    assert redirect is not None
