"""Settings as data: one frozen struct per group, parsed once at the edge (`moor.store.settings`)."""

from __future__ import annotations

from typing import Final

import msgspec

ADMINISTRATOR: Final = "administrator"
"""the level of what an administrator set"""


class Defaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[defaults]`: what a command takes when nothing is said."""

    upstream: str = ""
    """name of the upstream"""
    agent: str = ""
    """the agent that a bare `moor` and `moor run` start"""
    model: str = ""
    """model id for the main work"""
    small_model: str = ""
    """model id for titles and summaries"""


class PriceSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[upstreams.NAME.prices."MODEL"]`: dollars per million tokens, instead of what is stated elsewhere.

    `MODEL` is an id or a glob; an id goes before globs, of which the first that fits counts.
    """

    input: float
    """uncached input"""
    output: float
    """output, reasoning with it"""
    cache_read: float | None = None
    """input from a cache; not set: as `input`"""
    cache_write: float | None = None
    """input into a cache; not set: as `input`"""
    cache_write_1h: float | None = None
    """input into a cache for an hour; not set: twice `input`, and not less than `cache_write`"""
    date: str = ""
    """when that was stated"""
    level: str = ""
    """whose it is; set by moor, not in a file"""


class UpstreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[upstreams.NAME]`: a place that serves models."""

    kind: str
    """`databricks`, `openai`, `anthropic`, `gemini` or `sim`"""
    host: str = ""
    """workspace URL (kind databricks)"""
    profile: str = ""
    """section of ~/.databrickscfg (kind databricks)"""
    auth: str = ""
    """`oauth`, `pat`, `cli` or `m2m` (kind databricks, empty: oauth); `bearer` for a vendor's proxy that wants it"""
    route: str = "auto"
    """`auto`, `gateway`, `gateway-host` or `serving` (kind databricks)"""
    gateway_host: str = ""
    """host of the older gateway form (kind databricks)"""
    workspace_id: str = ""
    """sent as X-Databricks-Workspace-Id where known (kind databricks)"""
    base_url: str = ""
    """address: up to and including /v1 (kind openai), without it (kinds anthropic, gemini)"""
    api_key_env: str = ""
    """environment variable that holds the key of an engine or vendor; empty: no key"""
    models: tuple[str, ...] = ()
    """model ids, where the engine lists none (kind openai)"""
    ca_file: str = ""
    """certificate authorities in PEM, beside the system's"""
    allow_plaintext: bool = False
    """permit http:// to an address other than loopback"""
    prices: dict[str, PriceSettings] = {}
    """prices of models, tables of their own: `[upstreams.NAME.prices."MODEL"]`"""


class AgentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[agents.NAME]`: what holds for one agent."""

    enabled: bool = True
    """switched off, it is neither started nor installed"""
    model: str = ""
    """model id for its main work"""
    small_model: str = ""
    """model id for its side calls"""
    slots: dict[str, str] = {}
    """model ids for the agent's own model names, e.g. `opus`, `sonnet`, `haiku`, `fast`"""
    fallback: tuple[str, ...] = ()
    """models that answer, in this order, where the one that was asked for cannot or is listed as not ready"""
    effort: str = ""
    """how much it reasons: `low`, `medium`, `high`, or a word of the agent's own"""
    use_path: bool = False
    """start the program that PATH finds when moor has installed none"""
    env: dict[str, str] = {}
    """environment variables set for it"""
    args: tuple[str, ...] = ()
    """arguments put before the user's own"""
    pass_env: tuple[str, ...] = ()
    """variables that are passed on although moor would remove them"""
    command: tuple[str, ...] = ()
    """program and arguments of an agent that is described here, templates; it makes NAME an agent"""
    title: str = ""
    """name for people"""
    install: dict[str, str] = {}
    """where it comes from: `npm = "PACKAGE@VERSION"` or `pip = "PACKAGE==VERSION"`; `node = "VERSION"`: a Node.js of
    its own from npm; `lock = "FILE"`: exactly these packages"""
    works: tuple[str, ...] = ()
    """versions that can work: from, and up to but without"""
    dialects: tuple[str, ...] = ()
    """the dialects it speaks"""
    by_dialect: dict[str, dict[str, str]] = {}
    """names of your own for templates, by the dialect of the model: `[agents.NAME.by_dialect.openai-chat]`"""
    model_name: str = ""
    """how it names a model, a template with {model}; empty: by its id"""
    model_entry: str = ""
    """one model in a file of its own that lists models, a JSON template; {models} are all of them"""
    model_flag: str = ""
    """its options that take a model, `--model` or `-m --model`"""
    unset: tuple[str, ...] = ()
    """variables that are kept from it, names or `PREFIX*`"""
    files: dict[str, str] = {}
    """private files: path below the session's folder (or `{home}/…`) to text, both templates; a JSON file that is in
    `{home}` already is changed in the keys that the text names"""
    copies: dict[str, str] = {}
    """your own instructions that it may see: path as in `files` to a Markdown file or a folder of them"""
    terminal: tuple[str, ...] = ()
    """arguments for its own interface only, before what you type; templates"""
    headless: tuple[str, ...] = ()
    """arguments that run one prompt to the end; templates with {prompt}, without it the prompt comes on its input"""
    acp: tuple[str, ...] = ()
    """arguments that make it speak the Agent Client Protocol on its standard streams, templates"""
    acp_mode: str = ""
    """session mode in which it asks before it acts"""
    asks: bool = False
    """a hook or plugin among its files asks at the socket that $MOOR_ASK names before a headless run acts"""
    notice: str = ""
    """regular expression: a piece of an answer that begins so is a note of its own, not the model's"""
    failed_text: str = ""
    """regular expression: an answer whose last piece begins so is an error that it tells as an answer"""
    tools: dict[str, str] = {}
    """its tools by name to what they do: `read`, `write`, `command`, `fetch`, `internal`; where it does not say so"""
    effort_args: tuple[str, ...] = ()
    """arguments that set how much it reasons, templates with {effort}"""
    value_flags: tuple[str, ...] = ()
    """its options that take a value: where a sub-command is looked for, their values are passed over"""
    refused: dict[str, str] = {}
    """its sub-commands and options that are refused, to `why; what to type instead`"""
    repository: dict[str, str] = {}
    """what of a repository would start programs: file or folder to what it is; left out unless `moor trust`"""
    rules: tuple[str, ...] = ()
    """the repository's files of instructions; {rules} holds their texts where it is not trusted and brings some"""
    terminal_needs_trust: bool = False
    """its own interface would start what `repository` lists: not started there until `moor trust`"""
    headless_needs_trust: tuple[str, ...] = ()
    """what of `repository` it would start in a headless run too"""
    trusted: tuple[str, ...] = ()
    """arguments in a repository that is trusted; templates"""
    untrusted: tuple[str, ...] = ()
    """arguments in every other place; templates"""
    fatal_status: dict[str, int] = {}
    """cause to the status at which it stops at once"""
    session_header: str = ""
    """request header with its session id"""
    parent_header: str = ""
    """request header with the parent's id in a sub-agent's call"""
    subagent_header: str = ""
    """request header that only a sub-agent's call carries"""
    side_models: dict[str, str] = {}
    """globs of models that it asks for by itself to what answers them: `main` or `small`"""
    repeats_at_numbers: bool = False
    """it looks for numbers such as 500 in the text of an error, whatever the status, and asks again"""
    keepalive: str = ""
    """form in which a waiting stream is kept alive; empty: comments"""
    sees: dict[str, str] = {}
    """what of your own set-up it sees, for the documentation"""


class InstallSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[install]`: how agents are installed."""

    min_age_days: int = 7
    """a release that this moor was not tested with must be this old: bad ones are found in their first days"""


class PolicySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[policy]`: globs on model ids; deny wins."""

    allow: tuple[str, ...] = ()
    """when set, only these models may be called"""
    deny: tuple[str, ...] = ()
    """these may not"""
    budget_usd: float | None = None
    """money cap of each session in dollars"""
    budget_tokens: int | None = None
    """cap of each session in tokens, cached ones included"""


class GuardSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[guard]`: secrets in requests on their way out."""

    action: str = "off"
    """`off`, `warn`, `mask` or `refuse`"""
    patterns: tuple[str, ...] = ()
    """regular expressions beside the known forms"""


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[gateway]`: how calls pass."""

    rules_off: tuple[str, ...] = ()
    """repairs that are not made, by the names of `moor gateway rules`"""


class LogSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[log]`: what is kept beside the ledger."""

    payload_mb: int = 0
    """requests and answers, masked, up to so many MB; 0: none"""


class BudgetSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[budgets.NAME]`: a cap over many sessions, in dollars, tokens or both."""

    per: str = "day"
    """`session`, `day`, `month` or `total`: in which calls add up"""
    usd: float | None = None
    """dollars"""
    tokens: int | None = None
    """tokens, cached ones included"""
    upstream: str = ""
    """only calls to this upstream count"""
    tag: str = ""
    """only calls with this label count, `KEY=VALUE`"""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of config.toml."""

    defaults: Defaults = Defaults()
    upstreams: dict[str, UpstreamSettings] = {}
    agents: dict[str, AgentSettings] = {}
    policy: PolicySettings = PolicySettings()
    budgets: dict[str, BudgetSettings] = {}
    gateway: GatewaySettings = GatewaySettings()
    guard: GuardSettings = GuardSettings()
    log: LogSettings = LogSettings()
    install: InstallSettings = InstallSettings()

    def agent(self, agent_id: str) -> AgentSettings:
        """The agent's group, or its defaults."""
        return self.agents.get(agent_id, AgentSettings())
