"""Upstreams behind TLS: a private authority, a certificate that is not trusted, a proxy on the way."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from moor.domain.call import CUT, UNREACHABLE
from moor.gateway.limits import Limits, Patience
from tests.unit.gateway.rig import rig, run
from tests.unit.gateway.scripted import ANSWER, TOKEN, Seen, Talk, anthropic_events
from tests.unit.gateway.test_repeat import request


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    """A self-signed certificate for a DNS name, which is its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = folder / f"{name}.pem", folder / f"{name}.key"
    cert_path.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key_path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return cert_path, key_path


def contexts(folder: Path, name: str, *, trusted: bool = True) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and the client's."""
    cert, key = make_certificate(folder, name)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    client = ssl.create_default_context()
    if trusted:
        client.load_verify_locations(cert)
    return server, client


def test_calls_and_streams_pass_through_tls_on_a_kept_connection(tmp_path: Path) -> None:
    server, client = contexts(tmp_path, "localhost")

    async def scenario() -> None:
        async with rig(server_tls=server, client_tls=client) as r:
            for _ in range(3):
                assert (await r.message()).json == ANSWER
            answer = await r.message(stream=True)
            assert answer.body == b"".join(anthropic_events("hi"))
            assert r.server.connections == 1
            assert r.server.seen[0].headers["authorization"] == f"Bearer {TOKEN}"

    run(scenario())


@pytest.mark.parametrize(("name", "trusted"), [("localhost", False), ("elsewhere.example", True)])
def test_a_certificate_that_is_not_trusted_ends_the_call_with_what_to_set(
    tmp_path: Path, name: str, trusted: bool
) -> None:
    server, client = contexts(tmp_path, name, trusted=trusted)

    async def scenario() -> None:
        async with rig(server_tls=server, client_tls=client) as r:
            answer = await r.message()
            assert answer.status == 502
            assert "no trusted TLS connection" in answer.text
            assert "ca_file" in answer.text
            assert r.server.seen == []
            assert (await r.rows())[0].outcome == UNREACHABLE

    run(scenario())


@pytest.mark.parametrize("loop_factory", [asyncio.SelectorEventLoop, uvloop.Loop])
def test_a_large_body_goes_through_tls_in_parts_and_arrives_whole(
    tmp_path: Path, loop_factory: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    server, client = contexts(tmp_path, "localhost")

    async def scenario() -> None:
        async with rig(server_tls=server, client_tls=client) as r:
            for size in (1_000, 70_000, 4_000_000, 300_000):
                text = "".join(map(str, range(size)))[:size]
                assert (await r.message(messages=[text])).json == ANSWER
                assert r.server.seen[-1].json["messages"] == [text]
            assert r.server.connections == 1

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(asyncio.wait_for(scenario(), 30))


def test_an_answer_before_the_request_is_read_passes_and_its_connection_is_not_used_again(tmp_path: Path) -> None:
    server, client = contexts(tmp_path, "localhost")
    came: list[asyncio.StreamWriter] = []

    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(writer)
        await reader.readuntil(b"\r\n\r\n")  # and no more
        writer.write(b"HTTP/1.1 413 X\r\ncontent-type: application/json\r\ncontent-length: 31\r\n\r\n")
        writer.write(b'{"error":{"message":"too much"}}'[:31])
        await writer.drain()

    async def scenario() -> None:
        async with rig(server_tls=server, client_tls=client) as r:
            listening = await asyncio.start_server(early, "127.0.0.1", 0, ssl=server)
            r.upstream.port = listening.sockets[0].getsockname()[1]
            for number in (1, 2):
                assert (await r.message(messages=["x" * 20_000_000])).status == 413
                assert len(came) == number
            for writer in came:
                writer.transport.abort()
            listening.close()
            await asyncio.sleep(0.05)

    run(scenario())


def test_an_agent_that_reads_nothing_holds_the_upstream_back(tmp_path: Path) -> None:
    server, client = contexts(tmp_path, "localhost")
    written: list[int] = []
    event = anthropic_events("x" * 4000)[2]

    async def endless(talk: Talk, _: Seen) -> None:
        await talk.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while True:
                await talk.raw(event)
                written.append(len(event))

    async def scenario() -> None:
        async with rig(server_tls=server, client_tls=client, handler=endless) as r:
            _, writer = await asyncio.open_connection("127.0.0.1", r.port, limit=1000)
            writer.write(request(r.port, b'{"model":"m-1","max_tokens":10,"messages":[],"stream":true}'))
            before = -1
            while sum(written) != before:
                before = sum(written)
                await asyncio.sleep(0.3)
            assert 0 < before < 32_000_000
            writer.transport.abort()

    run(scenario())


@pytest.mark.parametrize("is_clean", [True, False])
def test_a_stream_that_is_cut_by_a_closed_connection_is_never_whole(tmp_path: Path, is_clean: bool) -> None:
    server, client = contexts(tmp_path, "localhost")

    async def cut(talk: Talk, _: Seen) -> None:
        await talk.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        await talk.raw(b"".join(anthropic_events("hi")[:3]))
        await asyncio.sleep(0.1)
        if is_clean:
            talk.writer.close()
        else:
            talk.drop()

    async def scenario() -> None:
        async with rig(server_tls=server, client_tls=client, handler=cut) as r:
            assert '"type":"error"' in (await r.message(stream=True)).text
            assert (await r.rows())[0].outcome == CUT

    run(scenario())


@pytest.mark.parametrize("says", [b"", b"HTTP/1.1 400 Bad\r\n\r\nplain"])
def test_a_peer_that_does_not_speak_tls_ends_the_call_in_its_time(tmp_path: Path, says: bytes) -> None:
    _, client = contexts(tmp_path, "localhost")

    async def scenario() -> None:
        async with rig(client_tls=client, limits=Limits(connect_s=0.3, patience=Patience(attempts=1))) as r:
            with socket.create_server(("127.0.0.1", 0)) as listening:
                r.upstream.port = listening.getsockname()[1]
                asking = asyncio.ensure_future(r.message())
                accepted, _ = await asyncio.to_thread(listening.accept)
                with accepted:
                    accepted.sendall(says)
                    answer = await asking
            assert answer.status == 502
            assert ("no trusted TLS" if says else "did not answer within") in answer.text

    run(scenario())


class Proxy:
    """A CONNECT proxy that remembers what it was asked."""

    def __init__(self, status: str = "200 Connection established") -> None:
        self.asked: list[str] = []
        self.status = status
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, tls: ssl.SSLContext | None = None) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head)
        writer.write(f"HTTP/1.1 {self.status}\r\n\r\n".encode())
        if not self.status.startswith("200"):
            writer.close()
            return
        port = int(head.split()[1].rpartition(":")[2])
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.ensure_future(self._pump(source, sink))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(65536):
                sink.write(data)
        except ConnectionError:
            pass
        finally:
            sink.close()

    def close(self) -> None:
        """Stop listening."""
        self._server.close()


@pytest.mark.parametrize("status", ["200 Connection established", "407 Proxy Authentication Required"])
def test_a_proxy_of_the_environment_is_used_for_hosts_that_are_not_this_machine(tmp_path: Path, status: str) -> None:
    server, client = contexts(tmp_path, "workspace.example")

    async def scenario() -> None:
        proxy = Proxy(status)
        port = await proxy.start()
        environ = {"HTTPS_PROXY": f"http://user:pass@127.0.0.1:{port}"}
        async with rig(server_tls=server, client_tls=client, environ=environ) as r:
            r.upstream.host = "workspace.example"
            answer = await r.message()
            assert proxy.asked[0].startswith(f"CONNECT workspace.example:{r.server.port} HTTP/1.1")
            assert "Proxy-Authorization: Basic dXNlcjpwYXNz" in proxy.asked[0]
            if status.startswith("200"):
                assert answer.json == ANSWER
                assert (await r.message(stream=True)).body == b"".join(anthropic_events("hi"))
            else:
                assert answer.status == 502
                assert "the proxy refused it" in answer.text
            assert TOKEN not in proxy.asked[0]
        proxy.close()

    run(scenario())


@pytest.mark.parametrize("loop_factory", [asyncio.SelectorEventLoop, uvloop.Loop])
def test_a_proxy_may_itself_be_behind_tls(
    tmp_path: Path, loop_factory: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, client = contexts(tmp_path, "workspace.example")
    cert, key = make_certificate(tmp_path, "localhost")
    monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    of_proxy = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    of_proxy.load_cert_chain(cert, key)

    async def scenario() -> None:
        proxy = Proxy()
        port = await proxy.start(of_proxy)
        environ = {"HTTPS_PROXY": f"https://user:pass@localhost:{port}"}
        async with rig(server_tls=server, client_tls=client, environ=environ) as r:
            r.upstream.host = "workspace.example"
            assert (await r.message()).json == ANSWER
            assert (await r.message(stream=True)).body == b"".join(anthropic_events("hi"))
            assert (await r.message(messages=["x" * 3_000_000])).json == ANSWER
            assert "Proxy-Authorization: Basic dXNlcjpwYXNz" in proxy.asked[0]
        proxy.close()

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(asyncio.wait_for(scenario(), 30))


def test_a_proxy_is_never_used_for_this_machine() -> None:
    async def scenario() -> None:
        environ = {"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1"}
        async with rig(environ=environ) as r:
            assert (await r.message()).json == ANSWER

    run(scenario())
