"""An npm registry on loopback with packages of our own making, and the faults that real ones have."""

from __future__ import annotations

import base64
import contextlib
import gzip
import hashlib
import io
import json
import socket
import tarfile
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

DAY_S = 86_400


def packed(name: str, version: str, files: Mapping[str, str]) -> bytes:
    """What `npm pack` writes: a .tgz with a `package` folder. Files below `bin/` are programs."""
    whole = {"package.json": json.dumps({"name": name, "version": version}), **files}
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path, text in whole.items():
            info = tarfile.TarInfo(f"package/{path}")
            info.size = len(text.encode())
            info.mode = 0o755 if path.startswith("bin/") else 0o644
            tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(raw.getvalue(), mtime=0)


def integrity(data: bytes) -> str:
    """The sha512 in npm's form."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


class Registry:
    """Packages by name and version. `fault` holds for tarballs: `cut`, `hang`, `lie`; asked for with `requests`."""

    def __init__(self) -> None:
        self.tarballs: dict[tuple[str, str], bytes] = {}
        self.times: dict[str, dict[str, str]] = {}
        self.fault = ""
        self.requests: list[str] = []
        self.asked = threading.Event()
        """a tarball was asked for"""
        self.go_on = threading.Event()
        """ends a `hang`"""
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.registry = self

    @property
    def url(self) -> str:
        """Address to configure."""
        return f"http://127.0.0.1:{self.server.server_address[1]}/"

    @property
    def environ(self) -> dict[str, str]:
        """Variables that point npm at it; retries without the pauses."""
        return {
            "npm_config_registry": self.url,
            "npm_config_fetch_retry_mintimeout": "10",
            "npm_config_fetch_retry_maxtimeout": "20",
        }

    def add(self, name: str, version: str, files: Mapping[str, str], *, days_old: float = 100) -> bytes:
        """Publish; the tarball."""
        data = packed(name, version, files)
        self.tarballs[name, version] = data
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - days_old * DAY_S))
        self.times.setdefault(name, {})[version] = stamp
        return data

    def downloads(self) -> list[str]:
        """Tarballs that were asked for, in order."""
        return [path for path in self.requests if path.endswith(".tgz")]

    def document(self, name: str) -> dict[str, Any] | None:
        """What a registry says of a package; None when it has none."""
        versions = [version for known, version in self.tarballs if known == name]
        if not versions:
            return None
        return {
            "name": name,
            "dist-tags": {"latest": versions[-1]},
            "time": self.times[name],
            "versions": {version: self._version(name, version) for version in versions},
        }

    def _version(self, name: str, version: str) -> dict[str, Any]:
        data = self.tarballs[name, version]
        address = f"{self.url}{name}/-/{version}.tgz"
        return {"name": name, "version": version, "dist": {"tarball": address, "integrity": integrity(data)}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    registry: Registry


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        registry = self.server.registry
        # a proxy is asked with the whole address
        path = unquote(self.path.partition("://")[2].partition("/")[2] if "://" in self.path else self.path[1:])
        registry.requests.append(self.path if "://" in self.path else path)
        name, dash, version = path.partition("/-/")
        if dash:
            self._tarball(registry, name, version.removesuffix(".tgz"))
            return
        found = registry.document(name)
        self._send(200 if found else 404, json.dumps(found or {"error": "not found"}).encode())

    def _tarball(self, registry: Registry, name: str, version: str) -> None:
        data = registry.tarballs[name, version]
        registry.asked.set()
        if registry.fault == "hang":
            registry.go_on.wait(30)
        if registry.fault == "lie":
            data = packed(name, version, {"bin/other": "something else"})
        self._send(200, data, cut=registry.fault == "cut")

    def _send(self, status: int, data: bytes, *, cut: bool = False) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if cut else data)
            if cut:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextlib.contextmanager
def running_registry() -> Iterator[Registry]:
    """An empty registry that serves while the block runs."""
    registry = Registry()
    thread = threading.Thread(target=registry.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield registry
    finally:
        registry.go_on.set()
        registry.server.shutdown()
        thread.join()
        registry.server.server_close()
