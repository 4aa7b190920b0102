"""The models of the simulated workspace: names of facts/databricks 2.2, limits and prices made plausible."""

from __future__ import annotations

from typing import Final

import msgspec

ANTHROPIC_API: Final = "anthropic/v1/messages"
RESPONSES_API: Final = "openai/v1/responses"
GEMINI_API: Final = "gemini/v1/generateContent"
CHAT_API: Final = "mlflow/v1/chat/completions"

CLAUDE: Final = "claude"
GPT: Final = "gpt"
GEMINI: Final = "gemini"
OPEN: Final = "open"
EMBEDDING: Final = "embedding"
EXTERNAL: Final = "external"

SERVICE: Final = "system.ai."
ENDPOINT: Final = "databricks-"

READY: Final = "READY"
NOT_READY: Final = "NOT_READY"


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """One model, under the ids by which the workspace knows it."""

    name: str
    """without prefix, e.g. claude-sonnet-4-6"""
    family: str
    api_types: tuple[str, ...]
    context: int = 200_000
    cap: int = 16_384
    """the largest max_tokens the gateway takes"""
    price: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """dollars per million tokens: input, output, cache read"""
    service: bool = False
    """listed as system.ai.<name>"""
    endpoint: bool = False
    """listed as databricks-<name> (an external one by its bare name)"""
    ready: str = READY
    """"" leaves the state out of the listing"""
    reasoning: bool = False
    temperature: bool = True
    """False: the parameter is refused"""
    parallel_calls: bool = True
    """False: an assistant message with two tool calls is refused"""
    list_content: bool = False
    """answers content as a list of blocks on the chat route"""
    quirky: bool = False
    """subject to the tool-call and finish-reason quirks"""

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id that reaches it."""
        if self.family == EXTERNAL:
            return (self.name,)
        ids = (SERVICE + self.name,) if self.service else ()
        return (*ids, ENDPOINT + self.name) if self.endpoint else ids

    @property
    def endpoint_id(self) -> str:
        """The id on /serving-endpoints, or ""."""
        if not self.endpoint:
            return ""
        return self.name if self.family == EXTERNAL else ENDPOINT + self.name

    @property
    def thought_signatures(self) -> bool:
        """Whether it hands out and wants back thought signatures (Gemini 3)."""
        return self.name.startswith("gemini-3")


def _claude(name: str, price: tuple[float, float, float], **more: object) -> ModelCard:
    fields = {"api_types": (ANTHROPIC_API, CHAT_API), "reasoning": True, "service": True, "endpoint": True, **more}
    return msgspec.convert({"name": name, "family": CLAUDE, "price": price, **fields}, ModelCard)


def _gpt(name: str, price: tuple[float, float, float], **more: object) -> ModelCard:
    fields = {"api_types": (RESPONSES_API, CHAT_API), "context": 400_000, "cap": 128_000, "reasoning": True}
    return msgspec.convert({"name": name, "family": GPT, "price": price, **fields, **more}, ModelCard)


def _gemini(name: str, price: tuple[float, float, float], **more: object) -> ModelCard:
    fields = {"api_types": (GEMINI_API, CHAT_API), "context": 1_000_000, "cap": 65_536, "reasoning": True}
    return msgspec.convert({"name": name, "family": GEMINI, "price": price, **fields, **more}, ModelCard)


def _open(name: str, price: tuple[float, float, float], **more: object) -> ModelCard:
    fields = {"api_types": (CHAT_API,), "context": 131_072, "quirky": True}
    return msgspec.convert({"name": name, "family": OPEN, "price": price, **fields, **more}, ModelCard)


_OPUS = (5.0, 25.0, 0.5)
_SONNET = (3.0, 15.0, 0.3)
_HAIKU = (1.0, 5.0, 0.1)

_CARDS: Final = (
    _claude("claude-fable-5", (10.0, 50.0, 1.0), cap=32_000, endpoint=False),
    _claude("claude-opus-5", _OPUS, cap=64_000, endpoint=False, temperature=False),
    _claude("claude-opus-4-8", _OPUS, cap=64_000),
    _claude("claude-opus-4-7", _OPUS, cap=32_000),
    _claude("claude-opus-4-6", _OPUS, cap=32_000, service=False),
    _claude("claude-sonnet-5", _SONNET, cap=64_000, endpoint=False),
    _claude("claude-sonnet-4-6", _SONNET, cap=64_000),
    _claude("claude-sonnet-4-5", _SONNET, cap=64_000, service=False),
    _claude("claude-sonnet-4", _SONNET, cap=64_000, service=False),
    _claude("claude-haiku-4-5", _HAIKU, cap=64_000),
    _gpt("gpt-5", (1.25, 10.0, 0.125), service=True, endpoint=True),
    _gpt("gpt-5-5", (2.0, 14.0, 0.2), service=True),
    _gpt("gpt-5-6-sol", (3.0, 18.0, 0.3), service=True, temperature=False),
    _gpt("gpt-5-6-luna", (0.5, 4.0, 0.05), service=True),
    _gpt("gpt-5-2", (1.75, 14.0, 0.175), endpoint=True),
    _gpt("gpt-5-1-codex-max", (1.25, 10.0, 0.125), endpoint=True),
    _gpt("gpt-5-3-codex", (1.75, 14.0, 0.175), endpoint=True),
    _gemini("gemini-2-5-flash", (0.3, 2.5, 0.03), service=True, endpoint=True),
    _gemini("gemini-2-5-pro", (1.25, 10.0, 0.125), service=True, endpoint=True),
    _gemini("gemini-3-5-flash", (0.5, 3.0, 0.05), service=True),
    _gemini("gemini-3-1-pro", (2.0, 12.0, 0.2), endpoint=True),
    _open("kimi-k2-7-code", (0.6, 2.5, 0.15), service=True, endpoint=True, context=262_144, cap=32_768),
    _open("glm-5-2", (0.6, 2.2, 0.11), service=True, endpoint=True, context=200_000, cap=25_000),
    _open("deepseek-v4-pro", (0.5, 1.5, 0.05), service=True, cap=32_768, reasoning=True),
    _open("llama-4-maverick", (0.5, 1.5, 0.0), service=True, endpoint=True, cap=8_192, ready=""),
    _open(
        "gpt-oss-120b",
        (0.15, 0.6, 0.0),
        endpoint=True,
        cap=25_000,
        parallel_calls=False,
        reasoning=True,
        list_content=True,
    ),
    _open("meta-llama-3-3-70b-instruct", (0.5, 1.5, 0.0), endpoint=True, cap=8_192, ready=NOT_READY),
    ModelCard(name="gte-large-en", family=EMBEDDING, api_types=(), context=8_192, cap=0, endpoint=True),
    ModelCard(
        name="team-external-claude",
        family=EXTERNAL,
        api_types=(CHAT_API,),
        endpoint=True,
        cap=8_192,
        price=_SONNET,
    ),
)

CATALOGUE: Final[dict[str, ModelCard]] = {model_id: card for card in _CARDS for model_id in card.ids}
"""every id, with its card"""


def cards() -> tuple[ModelCard, ...]:
    """Each model once."""
    return _CARDS
