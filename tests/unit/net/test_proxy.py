"""Proxies from the environment."""

from __future__ import annotations

import pytest

from moor.errors.net import ProxyInvalid
from moor.net.proxy import proxy_for
from moor.net.url import parse_base

HOST = parse_base("https://dbc-1.cloud.databricks.com")
PROXY = {"HTTPS_PROXY": "http://proxy.example:3128"}


def test_the_proxy_of_the_environment_is_taken() -> None:
    assert proxy_for(HOST, PROXY) == "http://proxy.example:3128"
    assert proxy_for(HOST, {"https_proxy": "proxy.example"}) == "http://proxy.example:80"
    assert proxy_for(HOST, {"ALL_PROXY": "https://proxy.example"}) == "https://proxy.example:443"
    assert proxy_for(HOST, {"HTTP_PROXY": "http://proxy.example:1"}) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:80", "https://localhost:1", "http://[::1]:80"])
def test_this_machine_is_never_reached_through_a_proxy(url: str) -> None:
    everything = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"), "http://proxy.example:1")
    assert proxy_for(parse_base(url), everything) is None


@pytest.mark.parametrize(
    ("no_proxy", "direct"),
    [
        ("*", True),
        ("cloud.databricks.com", True),
        (".cloud.databricks.com", True),
        ("*.cloud.databricks.com", True),
        ("other.com, DBC-1.cloud.databricks.com", True),
        ("dbc-1.cloud.databricks.com:443", True),
        ("dbc-1.cloud.databricks.com:444", False),
        ("databricks.co", False),
        ("loud.databricks.com", False),
        ("10.0.0.0/8", False),
        ("", False),
        (" , ", False),
    ],
)
def test_no_proxy_names_hosts_domains_and_ports(no_proxy: str, direct: bool) -> None:
    assert (proxy_for(HOST, {**PROXY, "NO_PROXY": no_proxy}) is None) == direct


def test_no_proxy_takes_networks() -> None:
    base = parse_base("https://10.1.2.3")
    assert proxy_for(base, {**PROXY, "no_proxy": "10.0.0.0/8"}) is None
    assert proxy_for(base, {**PROXY, "no_proxy": "10.2.0.0/16"}) is not None


@pytest.mark.parametrize("value", ["socks5://proxy.example:1", "http://", "http://proxy.example:port"])
def test_a_proxy_that_cannot_be_used_is_an_error_and_not_gone_around(value: str) -> None:
    with pytest.raises(ProxyInvalid, match="HTTPS_PROXY"):
        proxy_for(HOST, {"HTTPS_PROXY": value})
