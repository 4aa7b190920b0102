"""Every bound of the gateway in one place: sizes, counts, and how long it waits for whom."""

from __future__ import annotations

import msgspec

MIB = 1024 * 1024


class Patience(msgspec.Struct, frozen=True):
    """How long one call is worth waiting for."""

    attempts: int = 4
    """the first one included; for one model"""
    total_s: float = 75.0
    """from the whole request to the begin of the last attempt; limits of upstreams mostly last a minute"""
    first_pause_s: float = 0.5
    """doubled each time, and spread by a quarter"""
    trips_after: int = 5
    """failures of a model in a row until it is left alone"""
    rest_s: float = 10.0
    """how long, the first time; doubled up to a minute"""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes, counts and seconds. Tests set small ones; users have no need to."""

    max_body: int = 32 * MIB
    """one request body, decoded; else 413"""
    max_bodies: int = 128 * MIB
    """all request bodies held at once; else 503"""
    max_head: int = 64 * 1024
    """request line and headers together; else 431"""
    max_headers: int = 128
    max_answer_head: int = 256 * 1024
    """an upstream's headers; else it is a bad answer"""
    max_error_body: int = 1 * MIB
    """an upstream's error answer, held before it is passed on"""
    max_metered_body: int = 32 * MIB
    """a whole answer kept for the meter; beyond it the usage is an estimate"""
    max_decoded: int = 16 * MIB
    """what one read of a compressed answer may unpack to; more is no answer"""
    max_connections: int = 1024
    """agents' connections at once; further ones are closed"""
    backlog: int = 1024
    head_s: float = 30.0
    """from the first byte of a request to the end of its head"""
    body_s: float = 60.0
    """without a byte of a request body"""
    idle_s: float = 300.0
    """between two requests of a connection"""
    linger_s: float = 3.0
    """how long the rest of a refused body is read, so that the agent reads our answer before a reset"""
    connect_s: float = 10.0
    """TCP, proxy and TLS together"""
    first_byte_s: float = 300.0
    """from the whole request to the first byte of the answer"""
    between_s: float = 300.0
    """between two reads of an answer"""
    keepalive_s: float = 15.0
    """a stream that has no answer yet gets its head and a sign of life after this long, and again as often"""
    stalled_s: float = 600.0
    """an agent that does not read its answer"""
    tend_s: float = 5.0
    """how often credentials are looked after while nobody calls"""
    sign_in_s: float = 18.0
    """for a fresh credential, so that the agent has its sentence within 20 s"""
    pool_idle_s: float = 60.0
    """an upstream connection without a call"""
    pool_idle: int = 32
    """such connections kept per host"""
    patience: Patience = Patience()
    """for upstreams that fail"""
    tick_s: float = 0.5
    """how often the waits are looked at"""
