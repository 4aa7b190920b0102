"""What a name or a listing says of a model."""

from __future__ import annotations

import pytest

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.workspace.classify import dialects_of, family_of, is_chat, limits_of
from moor.workspace.naming import normal_id


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("system.ai.claude-sonnet-4-6", "claude-sonnet-4-6"),
        ("databricks-claude-sonnet-4-6", "claude-sonnet-4-6"),
        ("us.anthropic.claude-sonnet-4.6-v1:0", "claude-sonnet-4-6"),
        ("anthropic/claude-sonnet-4.6", "claude-sonnet-4-6"),
        ("global/claude-sonnet-4.6", "claude-sonnet-4-6"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("databricks-gpt-5-3-codex", "gpt-5-3-codex"),
        ("main.team.my-router", "main-team-my-router"),
    ],
)
def test_one_model_has_one_normal_name(given: str, normal: str) -> None:
    assert normal_id(given) == normal


@pytest.mark.parametrize(
    ("model_id", "family", "native"),
    [
        ("system.ai.claude-opus-4-8", "claude", ANTHROPIC_MESSAGES),
        ("databricks-gpt-5-2", "gpt", OPENAI_RESPONSES),
        ("databricks-gpt-oss-120b", "gpt-oss", OPENAI_CHAT),
        ("databricks-gemini-2-5-pro", "gemini", GEMINI_GENERATE),
        ("system.ai.kimi-k2-7-code", "kimi", OPENAI_CHAT),
        ("databricks-meta-llama-3-3-70b-instruct", "llama", OPENAI_CHAT),
        ("qwen2.5-coder:7b", "qwen", OPENAI_CHAT),
    ],
)
@pytest.mark.feature("F4.9")
def test_family_and_native_dialect_follow_from_the_name(model_id: str, family: str, native: str) -> None:
    assert family_of(model_id) == family
    assert dialects_of(model_id)[0] == native
    assert OPENAI_CHAT in dialects_of(model_id)


def test_stated_api_types_win_over_the_name() -> None:
    assert dialects_of("databricks-claude-x", ("mlflow/v1/chat/completions",)) == (OPENAI_CHAT,)
    both = ("mlflow/v1/chat/completions", "anthropic/v1/messages")
    assert dialects_of("databricks-claude-x", both) == (ANTHROPIC_MESSAGES, OPENAI_CHAT)


def test_api_types_that_nobody_knows_yet_are_ignored() -> None:
    assert dialects_of("databricks-claude-x", ("video/v9/render",)) == ()
    assert dialects_of("databricks-claude-x", ("video/v9/render", "anthropic/v1/messages")) == (ANTHROPIC_MESSAGES,)


def test_the_recorded_output_limit_of_glm_is_known() -> None:
    assert limits_of("system.ai.glm-5-2").max_output == 25_000


def test_an_unknown_model_has_no_limits() -> None:
    limits = limits_of("main.team.my-router")
    assert (limits.context, limits.max_output) == (None, None)


def test_embeddings_are_no_chat_models() -> None:
    assert not is_chat("databricks-gte-large-en")
    assert not is_chat("anything", "llm/v1/embeddings")
    assert is_chat("team-external-claude", "llm/v1/chat")
    assert is_chat("databricks-claude-sonnet-4-6")
