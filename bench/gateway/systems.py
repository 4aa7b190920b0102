"""The systems under test, each a process on one core in front of the same origin."""

from __future__ import annotations

import compileall
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import msgspec

import moor
from moor.domain.dialects import ANTHROPIC_MESSAGES
from moor.domain.models import Catalogue, Model, Price
from moor.domain.policy import Policy, PolicyLayer
from moor.domain.session import AgentTraits, Session
from moor.domain.settings import UpstreamSettings
from moor.secrets import Secret, key_hash
from moor.store.catalogues import save_catalogue
from moor.store.credentials import CredentialStore, StoredCredential
from moor.store.home import Home
from moor.store.sessions import SessionStore

KEY = "moor-bench-key-0123456789abcdefghij"
PATH = "/ai-gateway/anthropic/v1/messages"
PRICE = Price(3_000_000_000, 15_000_000_000, 300_000_000, 3_750_000_000, "bench", "2026-11-20")
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": str(64 << 20),
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_ARENA_MAX": "1",
}


class System:
    """A running process; `port` and `path` are where the load goes."""

    def __init__(self, name: str, port: int, path: str, process: subprocess.Popen[bytes] | None) -> None:
        self.name = name
        self.port = port
        self.path = path
        self.process = process
        self.key = KEY
        self.start_ms = 0.0
        """from the start of the process to its first answer"""

    def cpu_s(self) -> float:
        """CPU seconds of the process and its children so far, as the scheduler counts them.

        Not those of `stat`: they are sampled at each tick, and a process that runs for a fifth of the time in slices
        of 20 us then has 7 us a step in one run and 22 us in the next.
        """
        if self.process is None:
            return 0.0
        nanoseconds = 0
        for pid in [self.process.pid, *_children(self.process.pid)]:
            for task in Path(f"/proc/{pid}/task").iterdir():
                nanoseconds += int((task / "schedstat").read_text(encoding="ascii").split()[0])
        return nanoseconds / 1e9

    def rss_mb(self) -> float:
        """Resident memory of the process and its children."""
        if self.process is None:
            return 0.0
        total = 0
        for pid in [self.process.pid, *_children(self.process.pid)]:
            total += int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
        return total * os.sysconf("SC_PAGE_SIZE") / 1e6

    def close(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)


def _children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text(encoding="ascii").split()] if path.exists() else []


def free_port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def await_port(port: int, wait_s: float = 6.0) -> None:
    """Return when something listens."""
    for _ in range(int(wait_s / 0.02)):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"nothing listens on {port}")


def await_answer(port: int) -> None:
    """Return when the gateway serves what waited in its backlog."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as probe:
        probe.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n" % port)
        if not probe.recv(4096).startswith(b"HTTP/1.1 200"):
            raise ConnectionError("the gateway did not start")


def start_origin(core: int, tls: tuple[Path, Path] | None) -> System:
    """The scripted endpoint."""
    port = free_port()
    argv = ["taskset", "-c", str(core), sys.executable, "-m", "bench.gateway.origin", str(port)]
    if tls is not None:
        argv += [str(tls[0]), str(tls[1])]
    process = subprocess.Popen(argv, cwd=Path(__file__).resolve().parents[2], stdout=subprocess.DEVNULL)
    await_port(port)
    return System("origin", port, PATH, process)


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for localhost that both proxies verify."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    argv = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    argv += ["-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=localhost"]
    argv += ["-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(argv, check=True, capture_output=True)
    return cert, key


NGINX = """
daemon off; worker_processes 1; error_log stderr crit; pid {folder}/nginx.pid;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  keepalive_requests 100000000; client_max_body_size 64m; client_body_buffer_size 2m;
  upstream origin {{ server 127.0.0.1:{origin}; keepalive 64; keepalive_requests 100000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass {scheme}://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header Authorization "Bearer bench"; proxy_buffering off; proxy_request_buffering on;
      {tls}
    }}
  }}
}}
"""


def start_nginx(core: int, folder: Path, origin: System, tls: tuple[Path, Path] | None) -> System | None:
    """nginx with one worker and kept connections; None where it is not installed."""
    binary = shutil.which("nginx")
    if binary is None:
        return None
    port = free_port()
    secure = ""
    if tls is not None:
        secure = (
            f"proxy_ssl_verify on; proxy_ssl_trusted_certificate {tls[0]}; proxy_ssl_name localhost; "
            "proxy_ssl_server_name on; proxy_ssl_session_reuse on;"
        )
    place = folder / f"nginx-{port}"
    place.mkdir()
    text = NGINX.format(
        folder=place, port=port, origin=origin.port, scheme="https" if tls is not None else "http", tls=secure
    )
    (place / "nginx.conf").write_text(text, encoding="ascii")
    argv = ["taskset", "-c", str(core), binary, "-c", str(place / "nginx.conf"), "-p", str(place)]
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    await_port(port)
    return System("nginx", port, PATH, process)


def start_moor(
    core: int, folder: Path, origin: System, tls: tuple[Path, Path] | None, counted: Path | None = None
) -> System:
    """The gateway process of a session: key, allowlist, budget, repairs, meter and ledger on.

    `counted`: a file that the number of its tasks is written into.
    """
    home = Home(folder / f"moor-{origin.port}")
    host = f"https://localhost:{origin.port}" if tls is not None else f"http://127.0.0.1:{origin.port}"
    settings = UpstreamSettings(kind="databricks", host=host, auth="pat", ca_file=str(tls[0]) if tls else "")
    credential = StoredCredential(kind="pat", access_token=Secret("dapi-bench"), host=host, generation="1")
    CredentialStore(home).save("bench", credential)
    model = Model(id="m", family="claude", dialects=(ANTHROPIC_MESSAGES,), price=PRICE, max_output=64_000)
    save_catalogue(home, Catalogue(upstream="bench", models=(model,), route="gateway"))
    session = Session(
        id="ses_bench",
        agent="opencode",
        cwd="/",
        upstream="bench",
        model="m",
        policy=Policy((PolicyLayer("user", allow=("m*",)),)),
        budget_nano=10**18,
        traits=AgentTraits(user_agent="opencode/1.18.33", session_header="x-session-affinity"),
        key_hash=key_hash(KEY),
    )
    SessionStore(home).add(session)
    spec = msgspec.json.encode({"name": "bench", "upstream": settings})
    (home.session_dir(session.id) / "gateway.json").write_bytes(spec)
    # as pip does at an installation: the start is timed, and not the compiler of bytecode
    compileall.compile_dir(Path(moor.__file__).parent, quiet=1)
    listening = socket.create_server(("127.0.0.1", 0), backlog=4096)
    port = listening.getsockname()[1]
    module = ["moor.gateway"] if counted is None else ["bench.gateway.counted", str(counted)]
    argv = ["taskset", "-c", str(core), sys.executable, "-m", *module, "--home", str(home.root)]
    argv += ["--session", session.id, "--listen-fd", str(listening.fileno())]
    environ = {**os.environ, **ALLOCATOR}
    started = time.perf_counter()
    process = subprocess.Popen(argv, pass_fds=[listening.fileno()], env=environ)
    listening.close()
    await_answer(port)
    system = System("moor", port, "/anthropic/v1/messages", process)
    system.start_ms = (time.perf_counter() - started) * 1000
    return system
