"""Waits for the browser's redirect on loopback, both address families, and for a pasted one (databricks 1.2)."""

from __future__ import annotations

import html
import os
import selectors
import socket
from contextlib import suppress
from typing import Final, TextIO

from moor.clock import Clock
from moor.errors.auth import SignInPortsBusy
from moor.workspace.redirect import Redirect, code_of, parse_redirect

FIRST_PORT: Final = 8020
LAST_PORT: Final = 8040
"""the workspace accepts redirects to these only"""
_HEAD_MAX: Final = 16384
_POLL_S: Final = 0.2


class RedirectListener:
    """Listens on one free port of the range; `close` it, or use it as a context manager."""

    def __init__(self, first: int = FIRST_PORT, last: int = LAST_PORT) -> None:
        """Raises SignInPortsBusy."""
        self._selector = selectors.DefaultSelector()
        self._heads: dict[socket.socket, bytes] = {}
        self._listening: list[socket.socket] = []
        self._pasted = b""
        for port in range(first, last + 1):
            self._listening = _bind_both(port)
            if self._listening:
                self.port = port
                break
        else:
            self._selector.close()
            raise SignInPortsBusy(first, last)
        for sock in self._listening:
            self._selector.register(sock, selectors.EVENT_READ)

    @property
    def redirect_uri(self) -> str:
        """What the authorize call names; registered as `localhost`, which a browser may take for ::1."""
        return f"http://localhost:{self.port}"

    def wait(
        self, state: str, host: str, clock: Clock, wait_s: float, pasted: TextIO | None = None
    ) -> Redirect | None:
        """The redirect that carries `state`; None when `wait_s` seconds passed.

        Visits with another state, stray requests and silent connections are answered and forgotten.
        `pasted`: a stream on which a person may paste the redirect instead; raises SignInMismatch,
        SignInRefused for a wrong paste.
        """
        watched = _watchable(pasted)
        if watched is not None:
            self._selector.register(watched, selectors.EVENT_READ)
        deadline = clock.monotonic() + wait_s
        while clock.monotonic() < deadline:
            for key, _ in self._selector.select(_POLL_S):
                if key.fileobj is watched and watched is not None:
                    found = self._from_paste(watched, state, host)
                else:
                    found = self._on_socket(key.fileobj, state)
                if found is not None:
                    return found
        return None

    def close(self) -> None:
        """Stop listening and drop open connections; idempotent."""
        for sock in [*self._listening, *self._heads]:
            sock.close()
        self._listening, self._heads = [], {}
        self._selector.close()

    def __enter__(self) -> RedirectListener:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _from_paste(self, stream: TextIO, state: str, host: str) -> Redirect | None:
        piece = os.read(stream.fileno(), 65536)
        self._pasted += piece
        if not piece:
            self._selector.unregister(stream)
            self._pasted += b"\n"
        *lines, self._pasted = self._pasted.split(b"\n")
        for line in lines:
            if line.strip():
                redirect = parse_redirect(line.decode(errors="replace"))
                code_of(redirect, state, host)
                return redirect
        return None

    def _on_socket(self, sock: object, state: str) -> Redirect | None:
        assert isinstance(sock, socket.socket)
        if sock in self._listening:
            self._accept(sock)
            return None
        try:
            piece = sock.recv(4096)
        except OSError:
            piece = b""
        head = self._heads[sock] + piece
        self._heads[sock] = head
        if piece and b"\r\n\r\n" not in head and len(head) < _HEAD_MAX:
            return None
        redirect = _request_redirect(head)
        fits = redirect is not None and redirect.belongs_to(state)
        if piece:
            _answer(sock, redirect if fits else None)
        self._drop(sock)
        return redirect if fits else None

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):
            sock, _ = listening.accept()
            sock.settimeout(2)
            self._heads[sock] = b""
            self._selector.register(sock, selectors.EVENT_READ)

    def _drop(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)
        del self._heads[sock]
        sock.close()


def _bind_both(port: int) -> list[socket.socket]:
    """127.0.0.1 and, where this machine has it, ::1; none when either is taken by somebody else."""
    bound: list[socket.socket] = []
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            continue
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((address, port))
            sock.listen(16)
        except OSError:
            sock.close()
            if family == socket.AF_INET6 and not _has_ipv6():
                continue
            for other in bound:
                other.close()
            return []
        bound.append(sock)
    return bound


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def _watchable(stream: TextIO | None) -> TextIO | None:
    """The stream if it has a descriptor that can be waited for (a regular file has not)."""
    if stream is None:
        return None
    try:
        with selectors.DefaultSelector() as probe:
            probe.register(stream, selectors.EVENT_READ)
    except (ValueError, OSError):
        return None
    return stream


def _request_redirect(head: bytes) -> Redirect | None:
    line, _, _ = head.partition(b"\r\n")
    parts = line.decode("latin-1").split(" ")
    if len(parts) != 3 or parts[0] != "GET" or not parts[1].startswith("/"):
        return None
    return parse_redirect(parts[1]) if "?" in parts[1] else None


def _answer(sock: socket.socket, redirect: Redirect | None) -> None:
    if redirect is None:
        status, text = "404 Not Found", "This page belongs to a sign-in that moor waits for. Nothing was done."
    elif redirect.error:
        status, text = "200 OK", f"The sign-in was refused: {redirect.error}. The terminal says more."
    else:
        status, text = "200 OK", "Done: moor has the answer and goes on in the terminal. You can close this tab."
    page = f"<!doctype html><meta charset=utf-8><title>moor</title><p>{html.escape(text)}</p>".encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(page)}\r\n"
        "Connection: close\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'none'\r\n\r\n"
    )
    with suppress(OSError):
        sock.sendall(head.encode() + page)
