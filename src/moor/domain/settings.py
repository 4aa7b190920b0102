"""Settings as data: one frozen struct per group, parsed once at the edge (`moor.store.settings`)."""

from __future__ import annotations

import msgspec


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


class UpstreamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[upstreams.NAME]`: a place that serves models."""

    kind: str
    """`databricks`, `openai` or `sim`"""
    host: str = ""
    """workspace URL (kind databricks)"""
    profile: str = ""
    """section of ~/.databrickscfg (kind databricks)"""
    auth: str = ""
    """`oauth`, `pat`, `cli` or `m2m` (kind databricks); empty: oauth"""
    route: str = "auto"
    """`auto`, `gateway`, `gateway-host` or `serving` (kind databricks)"""
    gateway_host: str = ""
    """host of the older gateway form (kind databricks)"""
    workspace_id: str = ""
    """sent as X-Databricks-Workspace-Id where known (kind databricks)"""
    base_url: str = ""
    """address up to and including /v1 (kind openai)"""
    api_key_env: str = ""
    """environment variable that holds the key (kind openai); empty: no key"""
    models: tuple[str, ...] = ()
    """model ids, where the engine lists none (kind openai)"""
    ca_file: str = ""
    """certificate authorities in PEM, beside the system's"""
    allow_plaintext: bool = False
    """permit http:// to an address other than loopback"""


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
    """models to take, in this order, while the one for its main work is listed as not ready"""
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
    """program and arguments of an agent that is described here; it makes NAME an agent"""
    title: str = ""
    """name for people, of an agent that is described here"""
    install: dict[str, str] = {}
    """where it comes from: `npm = "PACKAGE@VERSION"` or `pip = "PACKAGE==VERSION"`"""
    dialects: tuple[str, ...] = ()
    """the dialects it speaks, best first"""
    files: dict[str, str] = {}
    """private files to write before it starts: path below its private home to text, both templates"""
    model_flag: str = ""
    """its option that takes a model id"""
    headless: tuple[str, ...] = ()
    """arguments that run one prompt to the end, a template with {prompt}"""
    acp: tuple[str, ...] = ()
    """arguments that make it speak the Agent Client Protocol on its standard streams"""


class PolicySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[policy]`: globs on model ids; deny wins."""

    allow: tuple[str, ...] = ()
    """when set, only these models may be called"""
    deny: tuple[str, ...] = ()
    """these may not"""
    budget_usd: float | None = None
    """money cap of each session in dollars"""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of config.toml."""

    defaults: Defaults = Defaults()
    upstreams: dict[str, UpstreamSettings] = {}
    agents: dict[str, AgentSettings] = {}
    policy: PolicySettings = PolicySettings()

    def agent(self, agent_id: str) -> AgentSettings:
        """The agent's group, or its defaults."""
        return self.agents.get(agent_id, AgentSettings())
