"""The four forms in which agents speak to models. Registered ids: import them, do not spell them."""

from __future__ import annotations

from typing import Final

ANTHROPIC_MESSAGES: Final = "anthropic-messages"
OPENAI_CHAT: Final = "openai-chat"
OPENAI_RESPONSES: Final = "openai-responses"
GEMINI_GENERATE: Final = "gemini-generate"

DIALECTS: Final = (ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES, GEMINI_GENERATE)

GENERATE: Final = "generate"
"""Action: one answer, in one body."""
STREAM: Final = "stream"
"""Action: one answer, as server-sent events."""
COUNT_TOKENS: Final = "count-tokens"
"""Action: count the tokens of a request; nothing is generated."""
