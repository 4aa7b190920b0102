"""What reaches an agent's environment, and what does not."""

from __future__ import annotations

import pytest

from moor.domain.settings import AgentSettings, Settings, UpstreamSettings
from moor.launch.environment import agent_environment, gateway_environment

PLAIN = AgentSettings()

USER = {
    "PATH": "/usr/bin",
    "HOME": "/home/u",
    "DATABRICKS_TOKEN": "dapi0123",
    "ARM_CLIENT_SECRET": "s",
    "ANTHROPIC_BASE_URL": "http://elsewhere",
    "OPENAI_API_KEY": "sk-1",
    "GEMINI_API_KEY": "g",
    "GOOGLE_APPLICATION_CREDENTIALS": "/c.json",
    "MOOR_HOME": "/m",
    "ENGINE_KEY": "local",
    "EDITOR": "vi",
    "OLDPWD": "/elsewhere",
}


def built(agent: AgentSettings = PLAIN, **more: str) -> dict[str, str]:
    settings = Settings(upstreams={"local": UpstreamSettings(kind="openai", api_key_env="ENGINE_KEY")})
    return agent_environment({**USER, **more}, settings, agent, "ses_1", "/w/repo")


@pytest.mark.feature("F17.12")
def test_credentials_and_reroutes_are_removed():
    env = built()
    assert env.keys() == {"PATH", "HOME", "EDITOR", "NO_PROXY", "no_proxy", "MOOR_SESSION", "PWD"}


def test_the_key_variable_of_a_configured_engine_is_removed():
    assert "ENGINE_KEY" not in built()


def test_pass_env_lets_named_variables_through():
    env = built(AgentSettings(pass_env=("DATABRICKS_TOKEN", "GOOGLE_*")))
    assert env["DATABRICKS_TOKEN"] == "dapi0123"
    assert "GOOGLE_APPLICATION_CREDENTIALS" in env
    assert "OPENAI_API_KEY" not in env


def test_loopback_joins_what_is_kept_off_the_proxy():
    env = built(NO_PROXY="corp.example, localhost", HTTP_PROXY="http://proxy:3128")
    assert env["NO_PROXY"] == "corp.example,localhost,127.0.0.1,::1"
    assert env["no_proxy"] == "127.0.0.1,localhost,::1"
    assert env["HTTP_PROXY"] == "http://proxy:3128"


def test_the_working_directory_is_stated_in_pwd():
    assert built(PWD="/old")["PWD"] == "/w/repo"


def test_the_config_of_the_agent_sets_variables():
    assert built(AgentSettings(env={"EDITOR": "nano"}))["EDITOR"] == "nano"


def test_the_gateway_gets_the_key_of_its_own_engine_and_no_session_mark():
    env = gateway_environment(USER, (UpstreamSettings(kind="openai", api_key_env="ENGINE_KEY"),), "/m2")
    assert env["ENGINE_KEY"] == "local"
    assert env["MOOR_HOME"] == "/m2"
    assert not {"OPENAI_API_KEY", "MOOR_SESSION", "EDITOR"} & env.keys()
