"""Opening a connection to an upstream: straight, through TLS, or through a proxy's CONNECT."""

from __future__ import annotations

import asyncio
import base64
import socket
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import unquote, urlsplit

from moor.net.proxy import proxy_for
from moor.net.url import Base

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from moor.domain.models import Target
    from moor.gateway.outbound import Outbound


_MAX_HEAD: Final = 64 * 1024
_NEXT_ADDRESS_S: Final = 0.25
"""how long an address may take until the next one is tried beside it (RFC 8305)"""


class ProxyRefused(ConnectionError):
    """A proxy answered CONNECT with something else than 200."""

    def __init__(self, status: str) -> None:
        super().__init__(0, f"the proxy refused it ({status})")


class Connector:
    """Opens connections; `environ` names the proxies (never one for this machine)."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    async def connect(self, target: Target, tls: ssl.SSLContext | None, factory: Callable[[], Outbound]) -> Outbound:
        """A connection with its protocol. Raises OSError (ssl.SSLError is one)."""
        context = tls if target.scheme == "https" else None
        proxy = proxy_for(Base(target.scheme, target.host, target.port, ""), self._environ)
        if proxy is not None:
            return await self._through(proxy, target, context, factory)
        loop = asyncio.get_running_loop()
        options: dict[str, Any] = {} if context is None else {"ssl": context, "server_hostname": target.host}
        protocols = cast("Callable[[], asyncio.Protocol]", factory)
        if _is_address(target.host):
            _, outbound = await loop.create_connection(protocols, target.host, target.port, **options)
        else:
            options["sock"] = await _raced(target.host, target.port)
            _, outbound = await loop.create_connection(protocols, **options)
        return cast("Outbound", outbound)

    async def _through(
        self, proxy: str, target: Target, context: ssl.SSLContext | None, factory: Callable[[], Outbound]
    ) -> Outbound:
        parts = urlsplit(proxy)
        loop = asyncio.get_running_loop()
        host, port, outer = parts.hostname or "", parts.port or 80, dict[str, Any]()
        if parts.scheme == "https":
            port, outer = parts.port or 443, {"ssl": True, "server_hostname": host}
        transport, tunnel = await loop.create_connection(_Tunnel, sock=await _raced(host, port), **outer)
        try:
            transport.write(_connect_request(target, parts.username, parts.password))
            status = await tunnel.answer
            if not status.startswith(("HTTP/1.1 2", "HTTP/1.0 2")):
                raise ProxyRefused(status[9:60])
            outbound = factory()
            protocol = cast("asyncio.Protocol", outbound)
            inner: asyncio.BaseTransport | None = transport
            if context is not None:
                inner = await loop.start_tls(transport, protocol, context, server_hostname=target.host)
            else:
                transport.set_protocol(protocol)
        except BaseException:
            transport.abort()
            raise
        if inner is None:
            raise ProxyRefused("it closed the tunnel")
        outbound.connection_made(inner)
        return outbound


def _is_address(host: str) -> bool:
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except (OSError, ValueError):
        return False
    return True


async def _raced(host: str, port: int) -> socket.socket:
    """A socket connected to the address of a host that answers first; uvloop's own way tries one after the other.

    An IPv6 address that answers nothing would cost the whole time for connecting. Raises OSError.
    """
    from aiohappyeyeballs import start_connection  # not needed where the upstream is an address

    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:  # a part that is too long, or characters that no name may have
        raise socket.gaierror(socket.EAI_NONAME, "its name is not known") from error
    if not found:
        raise OSError(0, "its name has no address")
    try:
        return await start_connection(found, happy_eyeballs_delay=_NEXT_ADDRESS_S)
    except RuntimeError as error:  # uvloop's, for a descriptor that it takes for used
        raise OSError(0, str(error)) from error


class _Tunnel(asyncio.Protocol):
    """Reads a proxy's answer to CONNECT; `answer` is its status line."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._head = b""

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol."""
        self._head += data
        if self.answer.done():
            return
        if b"\r\n\r\n" in self._head:
            self.answer.set_result(self._head.split(b"\r\n", 1)[0].decode("latin-1"))
        elif len(self._head) > _MAX_HEAD:
            self.answer.set_exception(ProxyRefused("its answer has no end"))

    def connection_lost(self, _: Exception | None) -> None:
        """Part of asyncio.Protocol."""
        if not self.answer.done():
            self.answer.set_exception(ProxyRefused("it closed the connection"))


def _connect_request(target: Target, user: str | None, password: str | None) -> bytes:
    host = f"[{target.host}]" if ":" in target.host else target.host
    lines = [f"CONNECT {host}:{target.port} HTTP/1.1", f"Host: {host}:{target.port}"]
    if user is not None:
        pair = f"{unquote(user)}:{unquote(password or '')}"
        lines.append("Proxy-Authorization: Basic " + base64.b64encode(pair.encode()).decode())
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
