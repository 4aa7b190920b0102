"""The session's gateway: its socket is bound here, its process is started here, and it outlives this process."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import msgspec

from moor.launch.choose import elsewhere
from moor.launch.environment import gateway_environment
from moor.run import proc
from moor.run.spawn import python_argv, spawn_detached
from moor.store.files import write_private
from moor.store.sessions import SessionStore

if TYPE_CHECKING:
    from moor.launch.prepare import Prepared

SPEC = "gateway.json"
"""file in the session's private folder that tells the gateway process its upstream"""

BACKLOG = 1024


def bind_loopback() -> tuple[socket.socket, str]:
    """A listening socket on a free loopback port, and its URL; calls wait in its backlog until the gateway runs."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(BACKLOG)
    return listener, f"http://127.0.0.1:{listener.getsockname()[1]}"


def start_gateway(prepared: Prepared, listener: socket.socket, url: str) -> int:
    """Write the session's row and start its gateway process, watching this process; returns the gateway's pid."""
    session, home = prepared.session, prepared.home
    settings = prepared.loaded.settings.upstreams[session.upstream]
    pid = os.getpid()
    start = proc.start_time(pid) or 0.0
    row = msgspec.structs.replace(session, pid=pid, pid_start=start, gateway_url=url)
    prepared.session = row
    store = SessionStore(home)
    try:
        store.add(row)
    finally:
        store.close()
    others = {name: prepared.loaded.settings.upstreams[name] for name in _others(prepared)}
    spec = {"name": session.upstream, "upstream": settings, "others": others}
    write_private(home.session_dir(session.id) / SPEC, msgspec.json.encode(spec))
    watch = proc.open_pidfd(pid)
    argv = python_argv("moor.gateway", "--home", str(home.root), "--session", session.id)
    argv += ["--listen-fd", str(listener.fileno()), "--watch-pid", f"{pid}:{start}"]
    keep = [listener.fileno()]
    if watch is not None:
        argv += ["--watch-fd", str(watch)]
        keep.append(watch)
    env = gateway_environment(prepared.environ, (settings, *others.values()), str(home.root))
    return spawn_detached(argv, env, keep=keep, log_path=str(home.folder(home.log_dir) / "gateway.log"))


def _others(prepared: Prepared) -> list[str]:
    """Upstreams of fallback models, beside the session's own."""
    named = (elsewhere(name, prepared.loaded) for name in prepared.session.fallback)
    return [name for name in dict.fromkeys(named) if name and name != prepared.session.upstream]
