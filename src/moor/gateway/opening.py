"""Opening a connection for the pool, within its time, and why it could not be opened.

Apart from the pool, because coroutines stay interpreted (`scripts/compiled.py`).
"""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

from moor.errors.net import TlsFailed, Unreachable
from moor.gateway.outbound import Outbound

if TYPE_CHECKING:
    from moor.domain.models import Target
    from moor.errors.base import MoorError
    from moor.gateway.connector import Connector
    from moor.gateway.limits import Limits
    from moor.gateway.pool import Borrower, Pool


async def open_connection(
    pool: Pool, connector: Connector, limits: Limits, target: Target, tls: ssl.SSLContext | None, borrower: Borrower
) -> None:
    """Open one and tell the borrower, or why there is none."""
    key = (target.scheme, target.host, target.port)
    made: list[Outbound] = []

    def make() -> Outbound:
        made.append(Outbound(pool, key, limits))
        return made[-1]

    try:
        async with asyncio.timeout(limits.connect_s):
            outbound = await connector.connect(target, tls, make)
        made.clear()
    except (OSError, ValueError) as error:  # of a name that is none the resolver says so by a UnicodeError
        borrower.not_connected(explain(target.host, error, limits.connect_s))
        return
    finally:
        # an agent that leaves at this moment: a connection may stand already, and nobody would be told of it
        for attempt in made:
            attempt.abort()
    borrower.connected(outbound)


def explain(host: str, error: BaseException, waited_s: float) -> MoorError:
    """Why a host could not be reached, in words; without ports or numbers that an agent takes for a status."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return TlsFailed(host, error.verify_message or "the certificate is not trusted")
    if isinstance(error, ssl.SSLError):
        return TlsFailed(host, error.reason or "the handshake failed")
    if isinstance(error, TimeoutError):
        return Unreachable(host, f"it did not answer within {waited_s:g} s")
    if isinstance(error, ConnectionRefusedError) or "Connect call failed" in str(error):
        return Unreachable(host, "it refuses the connection")
    if type(error).__name__ == "gaierror" or isinstance(error, UnicodeError):
        return Unreachable(host, "its name is not known")
    return Unreachable(host, getattr(error, "strerror", None) or "the connection failed")
