"""What a simulated workspace is made of; everything has a default that works."""

from __future__ import annotations

from typing import Final

import msgspec

WORKSPACE_ID: Final = "900800700600"


class SimUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One person (or service principal) of the workspace."""

    name: str = "dev@example.com"
    """userName of SCIM; for a service principal its application id"""
    display: str = "Simulated Developer"
    id: str = "4711"
    groups: tuple[str, ...] = ("users",)
    """() leaves the `groups` key out of SCIM Me, as the real one does"""
    pat_allowed: bool = True
    """False answers token creation with 403 PERMISSION_DENIED"""


class EngineModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model of the plain OpenAI-compatible engine."""

    id: str
    context: int = 32_768


class SimConfig(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How to run one simulated workspace."""

    host: str = "127.0.0.1"
    """a loopback address: the control API has no password"""
    port: int = 0
    """0 picks a free one"""
    workspace_id: str = WORKSPACE_ID
    users: tuple[SimUser, ...] = (SimUser(),)
    """the first one is signed in by auto-consent"""
    token_ttl_s: float = 3600
    """life of an OAuth access token"""
    rotate_refresh: bool = True
    """each refresh token works once; a second presentation revokes its family"""
    auto_consent: bool = True
    """False shows a small page with a button instead of redirecting at once"""
    switches: dict[str, bool] = {}
    """named behaviours, see `moor.sim.switches`"""
    tls_cert: str = ""
    """PEM file; with `tls_key` the server speaks TLS"""
    tls_key: str = ""
    scenarios_dir: str = ""
    """further scenario files; one of the same name wins over the built-in"""
    openai_engine: bool = False
    """also serve an OpenAI-compatible engine at /v1"""
    engine_api_key: str = ""
    """when set, /v1 wants it as a bearer"""
    engine_models: tuple[EngineModel, ...] = (EngineModel(id="sim-coder"), EngineModel(id="sim-small", context=8192))
    gateway_host: bool = False
    """also listen on a second port in the older gateway-host form (no `/ai-gateway` before the dialect)"""
    gateway_port: int = 0
    first_byte_s: float = 0.0
    """latency before the first byte of every model answer"""
    chunk_s: float = 0.0
    """latency between two pieces of a streamed answer"""
    max_body_bytes: int = 64 * 1024 * 1024
    """a larger request is answered 413"""
