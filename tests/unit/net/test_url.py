"""Addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.errors.net import BadUrl, PlaintextRefused
from moor.net.url import is_loopback, parse_base


@pytest.mark.parametrize(
    ("given_url", "url"),
    [
        ("https://a.example.com", "https://a.example.com"),
        ("a.example.com", "https://a.example.com"),
        ("https://a.example.com/", "https://a.example.com"),
        ("https://a.example.com:8443/prefix/x/", "https://a.example.com:8443/prefix/x"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1"),
        ("http://localhost", "http://localhost"),
        ("  https://a.example.com \n", "https://a.example.com"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
    ],
)
def test_scheme_port_and_prefix_are_kept(given_url: str, url: str) -> None:
    assert parse_base(given_url).url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "ftp://a.example.com",
        "https://a b.example.com",
        "https://a.example.com\r\nX: y",
        "https://user:secret@a.example.com",
        "https://a.example.com?x=1",
        "https://a.example.com#x",
        "https://a.example.com:port",
        "https://a.example.com:99999",
        "https://a;b.example.com",
        "https://[::1",
        "https://a..example.com",
        f"https://{'a' * 64}.example.com",
    ],
)
def test_what_is_no_address_of_a_host_is_refused(url: str) -> None:
    with pytest.raises(BadUrl) as caught:
        parse_base(url)
    assert "https://" in caught.value.hint
    assert "secret" not in str(caught.value)


def test_plain_http_is_refused_beyond_this_machine_unless_allowed() -> None:
    with pytest.raises(PlaintextRefused):
        parse_base("http://a.example.com")
    assert parse_base("http://a.example.com", allow_plaintext=True).port == 80


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_this_machine_is_recognised(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "0.0.0.0", "2130706433"]
)
def test_names_that_only_look_like_this_machine_are_not(host: str) -> None:
    assert not is_loopback(host)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_clear_refusal(text: str) -> None:
    try:
        base = parse_base(text, allow_plaintext=True)
    except BadUrl:
        return
    assert parse_base(base.url, allow_plaintext=True) == base
