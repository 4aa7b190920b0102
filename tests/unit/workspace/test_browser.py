"""Which browser is opened, and when none is."""

from __future__ import annotations

from moor.workspace.browser import browser_command, open_browser

URL = "https://ws.example/?a=1&b=$(x)"


def test_the_variable_names_the_browser() -> None:
    assert browser_command(URL, {"BROWSER": "firefox"}) == ["firefox", URL]
    assert browser_command(URL, {"BROWSER": "my 'b r' %s --new:other"}) == ["my", "b r", URL, "--new"]
    assert browser_command(URL, {"BROWSER": "none", "DISPLAY": ":0"}) is None


def test_without_a_display_there_is_none() -> None:
    assert browser_command(URL, {"PATH": "/usr/bin:/bin", "SSH_CONNECTION": "1 2 3 4"}) is None


def test_a_browser_that_does_not_start_is_no_browser() -> None:
    assert open_browser(URL, {"BROWSER": "/no/such/browser"}) is None
