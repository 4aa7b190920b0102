"""Opens an address in the user's browser, where there is one on this machine."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping


def browser_command(url: str, environ: Mapping[str, str]) -> list[str] | None:
    """The command that shows `url`, or None when no browser can be expected here (SSH, a bare console).

    BROWSER as others read it: `none` for none, else commands separated by colons, with %s for the address.
    Text browsers are never started by guess: they would take the terminal.
    """
    wanted = environ.get("BROWSER", "")
    if wanted:
        return None if wanted == "none" else _from_variable(wanted.split(":")[0], url)
    if sys.platform == "darwin":
        return ["open", url]
    has_screen = environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY")
    for command, fits in (("wslview", environ.get("WSL_DISTRO_NAME")), ("xdg-open", has_screen)):
        if fits and shutil.which(command, path=environ.get("PATH")):
            return [command, url]
    return None


def open_browser(url: str, environ: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
    """Start the browser without waiting; None when there is none. The caller reaps it."""
    command = browser_command(url, environ)
    if command is None:
        return None
    quiet = subprocess.DEVNULL
    try:
        return subprocess.Popen(
            command, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True, env=dict(environ)
        )
    except OSError:
        return None


def _from_variable(command: str, url: str) -> list[str]:
    words = shlex.split(command)
    if any("%s" in word for word in words):
        return [word.replace("%s", url) for word in words]
    return [*words, url]
