"""OpenCode's own interface in a window: wait until it is ready, type a prompt, leave."""

from __future__ import annotations

import time

from tests.support.window import Window

READY = "Ask anything"
ENTER = "\r"
CTRL_C = "\x03"
CTRL_Z = "\x1a"


def ready(window: Window) -> None:
    """Wait until it takes a prompt."""
    window.wait_for(READY, 60)
    settle(window, 0.5, 3.0)


def press_until(window: Window, key: str, text: str, tries: int = 4) -> None:
    """Press a key, again while nothing comes of it: an interface that still starts drops what is typed."""
    for _ in range(tries - 1):
        window.keys(key)
        try:
            window.wait_for(text, 5)
        except AssertionError:
            continue
        return
    window.keys(key)
    window.wait_for(text, 10)


def settle(window: Window, quiet_s: float = 1.0, longest_s: float = 20.0) -> None:
    """Wait until the screen has not changed for a while: it is drawn, and keys are read again."""
    end = time.monotonic() + longest_s
    seen, since = window.text, time.monotonic()
    while time.monotonic() < end and time.monotonic() - since < quiet_s:
        time.sleep(0.1)
        if window.text != seen:
            seen, since = window.text, time.monotonic()


def ask(window: Window, prompt: str) -> None:
    """Type a prompt and send it, once it stands in the input."""
    window.keys(prompt)
    window.wait_for(prompt[-20:], 20)
    time.sleep(0.2)
    window.keys(ENTER)


def say_exit(window: Window) -> None:
    """Type `/exit`."""
    window.keys("/exit")
    window.wait_for("/exit", 20)
    time.sleep(0.3)
    window.keys(ENTER)


def leave(window: Window) -> int:
    """Leave as its help says; the exit code."""
    say_exit(window)
    return window.wait(20)
