"""Starting a process that outlives us: own session, no terminal, only the descriptors it is meant to have."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def spawn_detached(argv: Sequence[str], env: dict[str, str], *, keep: Sequence[int], log_path: str) -> int:
    """Start argv as a session leader; stdin is /dev/null, stdout and stderr go to `log_path` (0600); returns its pid.

    Descriptors in `keep` are inherited under their own numbers; everything else of ours is close-on-exec.
    posix_spawn, because importing subprocess costs a launch 7 ms (facts/performance, C).
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, log_path, flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    for fd in keep:
        os.set_inheritable(fd, True)
    try:
        if sys.platform == "darwin":
            return _spawn_subprocess(argv, env, keep, log_path)
        return os.posix_spawn(argv[0], list(argv), env, file_actions=actions, setsid=True)
    finally:
        for fd in keep:
            os.set_inheritable(fd, False)


def _spawn_subprocess(argv: Sequence[str], env: dict[str, str], keep: Sequence[int], log_path: str) -> int:
    """The same where posix_spawn knows no setsid (macOS)."""
    import subprocess

    with os.fdopen(os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
        child = subprocess.Popen(
            list(argv),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=keep,
            start_new_session=True,
        )
    return child.pid


def python_argv(module: str, *args: str) -> list[str]:
    """argv that runs a module of ours. `-P`: a folder we stand in must not be able to shadow it."""
    return [sys.executable, "-P", "-m", module, *args]
