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
