"""What a model is, by the API types its listing states and, where it states none, by its name (databricks 2.2)."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from moor.domain.dialects import ANTHROPIC_MESSAGES, GEMINI_GENERATE, OPENAI_CHAT, OPENAI_RESPONSES
from moor.workspace.naming import normal_id

CLAUDE: Final = "claude"
GPT: Final = "gpt"
GEMINI: Final = "gemini"

_API_TYPES: Final[dict[str, str]] = {
    "anthropic/v1/messages": ANTHROPIC_MESSAGES,
    "openai/v1/responses": OPENAI_RESPONSES,
    "gemini/v1/generateContent": GEMINI_GENERATE,
    "mlflow/v1/chat/completions": OPENAI_CHAT,
}
_NATIVE: Final[dict[str, str]] = {CLAUDE: ANTHROPIC_MESSAGES, GPT: OPENAI_RESPONSES, GEMINI: GEMINI_GENERATE}
_NOT_CHAT: Final = re.compile(r"(?:^|[-/])(?:gte|bge|embed|embedding|e5|rerank|whisper|tts|image)(?:[-/]|$)")
_NUMBERS: Final = re.compile(r"\d+")


class Limits(NamedTuple):
    """Context window and largest output in tokens; None where unknown."""

    context: int | None
    max_output: int | None
    reasoning: bool = False
    attachment: bool = False


_LIMITS: Final[tuple[tuple[str, Limits], ...]] = (
    # prefix of the normal id; the longest that fits wins. Sources: databricks 2.2 (GLM's 25,000 is recorded: more
    # is refused), the vendors' model pages for the rest; where they differ, the smaller output
    ("claude-", Limits(200_000, 32_000, True, True)),
    ("claude-sonnet-", Limits(200_000, 64_000, True, True)),
    ("claude-haiku-", Limits(200_000, 64_000, True, True)),
    ("claude-opus-4-8", Limits(200_000, 64_000, True, True)),
    ("claude-opus-5", Limits(200_000, 64_000, True, True)),
    ("gpt-5", Limits(400_000, 128_000, True, True)),
    ("gpt-oss", Limits(131_072, 25_000, True, False)),
    ("gemini-", Limits(1_000_000, 65_536, True, True)),
    ("glm-", Limits(200_000, 25_000, True, False)),
    ("kimi-", Limits(262_144, 32_768, True, False)),
    ("deepseek-", Limits(131_072, 32_768, True, False)),
    ("llama-4", Limits(131_072, 8_192, False, True)),
    ("meta-llama-", Limits(131_072, 8_192, False, False)),
)


def family_of(model_id: str) -> str:
    """`claude`, `gpt`, `gemini`, or an open model's own family name (`gpt-oss`, `kimi`, `llama`)."""
    name = normal_id(model_id).rpartition("/")[2]
    if CLAUDE in name:
        return CLAUDE
    if name.startswith("gpt-oss"):
        return "gpt-oss"
    return re.split(r"[-_.:\d]", name.removeprefix("meta-"), maxsplit=1)[0] or name


def dialects_of(model_id: str, api_types: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Dialects, the model's native one first: as stated, else by name; unknown API types are ignored."""
    native = _NATIVE.get(family_of(model_id), OPENAI_CHAT)
    stated = {_API_TYPES[kind] for kind in api_types if kind in _API_TYPES}
    if not api_types:
        stated = {native, OPENAI_CHAT}
    order = (native, OPENAI_CHAT, ANTHROPIC_MESSAGES, OPENAI_RESPONSES, GEMINI_GENERATE)
    return tuple(dialect for dialect in dict.fromkeys(order) if dialect in stated)


def limits_of(model_id: str) -> Limits:
    """The limits that are known for that model; no listing states any (2.2)."""
    name = normal_id(model_id)
    fitting = [row for row in _LIMITS if name.startswith(row[0])]
    return max(fitting, key=lambda row: len(row[0]))[1] if fitting else Limits(None, None)


def is_chat(model_id: str, task: str = "") -> bool:
    """Whether it talks: by its task where stated, else by its name."""
    if task:
        return task in ("llm/v1/chat", "agent/v1/responses", "agent/v1/chat")
    return not _NOT_CHAT.search(normal_id(model_id))


def age_key(model_id: str) -> tuple[int, ...]:
    """The numbers in a name: of one family, the larger tuple is the newer model (2.2)."""
    return tuple(int(number) for number in _NUMBERS.findall(normal_id(model_id)))
