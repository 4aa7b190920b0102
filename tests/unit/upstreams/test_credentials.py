"""Where a workspace's tokens come from, by its `auth` setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from moor.clock import SystemClock
from moor.domain.settings import UpstreamSettings
from moor.errors.auth import SignInNeeded, TokenMissing, TokenRefused
from moor.secrets import Secret
from moor.sim.embedded import EmbeddedSim
from moor.store.credentials import CredentialStore
from moor.store.home import Home
from moor.upstreams.databricks import KIND, DatabricksUpstream


def workspace(folder: Path, url: str, environ: dict[str, str] | None = None, **more: str) -> DatabricksUpstream:
    settings = UpstreamSettings(kind=KIND, host=url, **more)  # type: ignore[arg-type]
    return DatabricksUpstream(
        "ws", settings, Home(folder / "home"), {"HOME": str(folder), **(environ or {})}, SystemClock()
    )


@pytest.mark.feature("F1.2")
def test_a_profile_s_token_is_read_where_it_stands_and_its_rotation_seen(tmp_path: Path, sim: EmbeddedSim) -> None:
    cfg = tmp_path / ".databrickscfg"

    def write(token: Secret) -> None:
        cfg.write_text(f"[dev]\nhost = {sim.url}\ntoken = {token.reveal()}\n", encoding="utf-8")

    write(sim.control.mint())
    ws = workspace(tmp_path, sim.url, auth="pat", profile="dev")
    assert not ws.needs_sign_in()
    first = ws.credential().obtain()
    with pytest.raises(SignInNeeded) as caught:
        ws.credential().obtain(dead=first)
    assert caught.value.hint == "moor login --profile dev --pat"
    write(sim.control.mint())
    second = ws.credential().obtain(dead=first)
    assert second.generation != first.generation
    assert CredentialStore(ws.home).load("ws") is None, "the token is not copied"


def test_a_profile_of_another_host_is_not_used(tmp_path: Path, sim: EmbeddedSim) -> None:
    (tmp_path / ".databrickscfg").write_text("[dev]\nhost = https://other.example\ntoken = x\n", encoding="utf-8")
    with pytest.raises(SignInNeeded, match=r"other\.example"):
        workspace(tmp_path, sim.url, auth="pat", profile="dev").credential().obtain()


@pytest.mark.feature("F1.4")
def test_a_given_token_is_kept_only_once_the_workspace_took_it(tmp_path: Path, sim: EmbeddedSim) -> None:
    ws = workspace(tmp_path, sim.url, auth="pat")
    with pytest.raises(TokenRefused, match="the terminal"):
        ws.take_token(Secret("dapi" + "0" * 32), "the terminal")
    assert ws.needs_sign_in()
    ws.take_token(sim.control.mint(), "the terminal")
    stored = CredentialStore(ws.home).load("ws")
    assert stored is not None
    assert (stored.kind, stored.user, stored.host) == ("pat", "dev@example.com", sim.url)
    assert ws.refresh_catalogue().user == "dev@example.com"


@pytest.mark.feature("F1.5")
def test_a_service_principal_signs_in_by_itself_and_renews(tmp_path: Path, sim: EmbeddedSim) -> None:
    client_id, secret = sim.control.service_principal()
    environ = {"DATABRICKS_CLIENT_ID": client_id, "DATABRICKS_CLIENT_SECRET": secret.reveal()}
    ws = workspace(tmp_path, sim.url, environ, auth="m2m")
    assert ws.refresh_catalogue().models
    sim.control.revoke_all()
    assert ws.refresh_catalogue().models
    with pytest.raises(TokenMissing, match="DATABRICKS_CLIENT_ID"):
        workspace(tmp_path, sim.url, auth="m2m").credential().obtain()
