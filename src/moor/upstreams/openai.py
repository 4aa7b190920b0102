"""OpenAI and all that speaks like it: vLLM, Ollama, llama.cpp, LM Studio, a company's proxy. Chat and Responses."""

from __future__ import annotations

from typing import Final

from moor.domain import quirks
from moor.domain.dialects import COUNT_TOKENS, OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.models import Model
from moor.errors.base import MoorError
from moor.upstreams.keyed import KeyedUpstream

KIND: Final = "openai"
_PATHS: Final = {OPENAI_CHAT: "/chat/completions", OPENAI_RESPONSES: "/responses"}
_NOT_SERVED: Final = (404, 405, 501)


class OpenAiUpstream(KeyedUpstream):
    """One engine or vendor."""

    kind = KIND
    quirks = frozenset({quirks.NO_STREAM_USAGE_WITHOUT_ASKING, quirks.OMITS_STREAM_END})
    dialects = (OPENAI_CHAT,)

    def path(self, dialect: str, model: Model, action: str) -> str | None:  # noqa: ARG002 - the same for all models
        """`base_url` + /chat/completions or /responses."""
        return None if action == COUNT_TOKENS else _PATHS.get(dialect)

    def served(self) -> tuple[str, ...]:
        """Chat, and Responses where the path is there: an empty question is refused, but not as unknown."""
        credential = self._source.obtain()
        try:
            answer = self._client.post_json(
                _PATHS[OPENAI_RESPONSES], b"{}", token=credential.secret or None, auth=self._auth
            )
        except MoorError:
            return self.dialects
        is_served = 400 <= answer.status < 500 and answer.status not in _NOT_SERVED
        return (*self.dialects, OPENAI_RESPONSES) if is_served else self.dialects
