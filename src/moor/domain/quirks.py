"""What upstreams refuse or alter, one name each. An upstream lists its own; filters ask for these names.

Sources: the numbered rows of facts/databricks 2.7, and facts/agents-on-a-strict-wire for what agents send.
"Recorded": seen at a real workspace. "Inferred" ones are repaired too, because the repair is harmless.
"""

from __future__ import annotations

from typing import Final

REFUSES_BLANK_TEXT: Final = "refuses-blank-text"
"""400 on an empty or whitespace text block or message content; it stays in the history, so the session is
bricked (row 1, recorded: opencode#5028; Claude Code, OpenCode and Hermes send them)."""

REFUSES_ORPHAN_TOOL_RESULTS: Final = "refuses-orphan-tool-results"
"""400 on a tool call without its result or the reverse, after compaction or repair of row 1 (row 2)."""

REFUSES_SCHEMA_KEYS_GEMINI: Final = "refuses-schema-keys-gemini"
"""400 `Unknown name "$schema"` on `$schema`, `$ref`, `$defs`, `$id`, `$comment`, `additionalProperties` in
tool schemas of Gemini-backed models, on the chat route too (row 3, recorded: opencode#7984)."""

REFUSES_STREAM_OPTIONS_GEMINI: Final = "refuses-stream-options-gemini"
"""400 on `stream_options` for Gemini-backed models on the chat route (row 4)."""

ANSWERS_CONTENT_AS_LIST: Final = "answers-content-as-list"
"""Reasoning models answer `content` as a list of blocks, whole and in streams; chat (facts/databricks 2.10,
documented)."""

REFUSES_THOUGHTS_SENT_BACK: Final = "refuses-thoughts-sent-back"
"""400 `Extra inputs are not permitted` on `reasoning_content` in a chat message of a model that answers thoughts as
blocks (inferred: litellm#36931 records it for another field of the kind)."""

RENAMES_TOOL_CALLS: Final = "renames-tool-calls"
"""A tool's name comes back as `databricks-tool-call`, the real one inside the arguments; chat (row 5)."""

STOP_INSTEAD_OF_TOOL_CALLS: Final = "stop-instead-of-tool-calls"
"""`finish_reason: "stop"` although tool calls are present; chat route (row 6)."""

REFUSES_EAGER_INPUT_STREAMING: Final = "refuses-eager-input-streaming"
"""400 on `eager_input_streaming` in a tool; OpenCode sends it with every tool (row 7, recorded)."""

REFUSES_UNKNOWN_BODY_KEYS: Final = "refuses-unknown-body-keys"
"""400 `Extra inputs are not permitted` on `context_management`, `defer_loading`, `thinking.cache_control`,
`cache_control.scope` (row 8, inferred for this gateway)."""

REFUSES_CACHE_TTL: Final = "refuses-cache-ttl"
"""400 `Extra inputs are not permitted` on `cache_control.ttl` for models that keep a cache for five minutes only
(users-ask: litellm#38790; inferred for this gateway)."""

REFUSES_UNKNOWN_BETAS: Final = "refuses-unknown-betas"
"""400 on `anthropic-beta` values that the backend does not know, e.g. `structured-outputs-…`,
`context-management-…` (row 8 and question 10, inferred)."""

REFUSES_STORE_AND_STRICT: Final = "refuses-store-and-strict"
"""400 on `store` and on `tools[].function.strict`; chat route (row 9)."""

REFUSES_REASONING_EFFORT_CLAUDE: Final = "refuses-reasoning-effort-claude"
"""400 on `reasoning_effort` for Claude models on the chat route (row 10, recorded: bifrost#6958)."""

REFUSES_MARKS_ON_CHAT_MESSAGES: Final = "refuses-marks-on-chat-messages"
"""`cache_control` beside the content of a chat message is refused (inferred, as row 8) or without effect (recorded:
litellm#15801); in a part of a content list it works (litellm#16200)."""

REFUSES_REMOTE_IMAGES_CLAUDE: Final = "refuses-remote-images-claude"
"""400 on image URLs that are not inline for Claude models on the chat route (row 10, recorded)."""

REFUSES_PARALLEL_TOOL_CALLS: Final = "refuses-parallel-tool-calls"
"""400 `Multiple tool calls are not supported.` for gpt-oss on chat (row 11, recorded: litellm#31633)."""

REFUSES_TEMPERATURE: Final = "refuses-temperature"
"""400 on `temperature` for claude-opus-5 and gpt-5-6-sol (row 12, recorded)."""

REFUSES_HOSTED_TOOLS: Final = "refuses-hosted-tools"
"""400 on tool types such as `web_search_20250305` in the Anthropic dialect (row 13, recorded)."""

REFUSES_CODEX_TOOLS: Final = "refuses-codex-tools"
"""400 on `client_metadata`, `namespace` and `web_search` tools in the Responses dialect (row 14: sources
disagree; agents-on-a-strict-wire)."""

LACKS_COUNT_TOKENS: Final = "lacks-count-tokens"
"""`count_tokens` may be 404: answer it locally with an estimate (row 15, recorded at classic serving)."""

NEEDS_THOUGHT_SIGNATURES: Final = "needs-thought-signatures"
"""400 for a Gemini 3 `functionCall` part without its `thoughtSignature`, and when response parts do not equal
the calls: keep both, reorder nothing (row 16, recorded)."""

REFUSES_LARGE_MAX_TOKENS: Final = "refuses-large-max-tokens"
"""400 when the output limit is above the model's own cap: clamp to `Model.max_output` (row 17)."""

REFUSES_SYSTEM_ROLE_IN_MESSAGES: Final = "refuses-system-role-in-messages"
"""400 on `role: system` inside Anthropic `messages`; Claude Code sends it to models it does not know
(agents-on-a-strict-wire, inferred)."""

REFUSES_THINKING_CONTROLS: Final = "refuses-thinking-controls"
"""400 on `thinking: {type: adaptive}` and `output_config` for models that do not take them (question 11,
agents-on-a-strict-wire, inferred)."""

OMITS_STREAM_END: Final = "omits-stream-end"
"""A stream ends after its finish reason, without `[DONE]` or `message_stop` (issue 4; engines and proxies)."""

NO_STREAM_USAGE_WITHOUT_ASKING: Final = "no-stream-usage-without-asking"
"""A chat stream carries usage only when `stream_options.include_usage` is sent (design, decision 3)."""
