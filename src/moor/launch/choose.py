"""Which models a session runs on: flag, environment, project, then the agent's group, then the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from moor.domain import pick
from moor.domain.models import Catalogue, Model
from moor.domain.policy import Policy
from moor.errors.launch import ModelDialectUnfit, ModelNotAllowed, NoModel, UnknownModel

if TYPE_CHECKING:
    from moor.store.settings import Loaded


class Chosen(NamedTuple):
    """The session's models."""

    main: Model
    small: Model
    allowed: tuple[Model, ...]
    slots: dict[str, Model] = {}  # noqa: RUF012 - never changed
    fallback: tuple[Model, ...] = ()
    replaced: str = ""
    """the model that was meant, where a fallback stands in for it because it was listed as not ready"""


def choose_models(
    loaded: Loaded, catalogue: Catalogue, policy: Policy, agent_id: str, dialects: tuple[str, ...] = ()
) -> Chosen:
    """`dialects`: those the agent speaks; (): any.

    Raises UnknownModel, ModelNotAllowed, ModelDialectUnfit or NoModel; a model that was named for this launch is
    never replaced silently. One that stands in the lasting settings and that the agent cannot speak to is.
    """
    asking = _Asking(loaded, catalogue, policy, agent_id, dialects)
    group = loaded.settings.agent(agent_id)
    here = [name for name in group.fallback if not elsewhere(name, loaded)]
    fallback = tuple(asking.resolve(name, f"agents.{agent_id}.fallback") for name in here)
    meant = asking.main()
    main = next((model for model in (meant, *fallback) if model.ready is not False), meant)
    slots = {slot: asking.resolve(name, f"agents.{agent_id}.slots.{slot}") for slot, name in group.slots.items()}
    replaced = meant.id if main is not meant else ""
    return Chosen(main, asking.small(main), asking.allowed, slots, fallback, replaced)


def elsewhere(name: str, loaded: Loaded) -> str:
    """The upstream that a fallback `UPSTREAM/MODEL` names; empty for a model of the session's own upstream."""
    upstream, slash, _ = name.partition("/")
    return upstream if slash and upstream in loaded.settings.upstreams else ""


class _Asking:
    """One launch's question for models."""

    def __init__(
        self, loaded: Loaded, catalogue: Catalogue, policy: Policy, agent_id: str, dialects: tuple[str, ...]
    ) -> None:
        self._loaded = loaded
        self._catalogue = catalogue
        self._policy = policy
        self._agent_id = agent_id
        self._dialects = dialects
        self._group = loaded.settings.agent(agent_id)
        self.allowed = tuple(
            model for model in catalogue.models if self._speaks(model) and policy.why_not(model.id) is None
        )

    def main(self) -> Model:
        """The model for the main work."""
        named, by = _named(self._loaded, "defaults.model", self._group.model, self._loaded.settings.defaults.model)
        if named and self._stands_in_settings("defaults.model", self._group.model) and self._mute(named):
            named = ""
        if named and self._catalogue.find(named) is None and _stands_for_another(self._loaded, "defaults.model"):
            named = ""
        main = self.resolve(named, by) if named else pick.main_model(self.allowed)
        if main is None:
            raise NoModel(upstream=self._catalogue.upstream, why=self._why_none())
        return main

    def small(self, main: Model) -> Model:
        """The model for side calls."""
        settings = self._loaded.settings.defaults.small_model
        named, by = _named(self._loaded, "defaults.small_model", self._group.small_model, settings)
        if (
            named
            and self._catalogue.find(named) is None
            and _stands_for_another(self._loaded, "defaults.small_model")
        ):
            named = ""
        if named and self._stands_in_settings("defaults.small_model", self._group.small_model) and self._mute(named):
            named = ""
        return self.resolve(named, by) if named else pick.small_model(self.allowed, main)

    def resolve(self, model_id: str, named_by: str) -> Model:
        """The named model, if it may be used and the agent can speak to it."""
        model = _resolve(model_id, named_by, self._catalogue, self._policy)
        if not self._speaks(model):
            raise ModelDialectUnfit(
                model=model.id,
                agent=self._agent_id,
                served=model.dialects,
                spoken=self._dialects,
                fit=tuple(model.id for model in self.allowed),
            )
        return model

    def _speaks(self, model: Model) -> bool:
        if not self._dialects:
            return bool(model.dialects)
        return any(dialect in self._dialects for dialect in model.dialects)

    def _mute(self, model_id: str) -> bool:
        """Whether the upstream has the model, but in no dialect of this agent's."""
        model = self._catalogue.find(model_id)
        return model is not None and not self._speaks(model)

    def _stands_in_settings(self, dotted: str, of_agent: str) -> bool:
        """Whether the default of all agents is meant, not a choice for this launch or this agent."""
        origin = self._loaded.origins.get(dotted)
        return not of_agent and (origin is None or origin.source in ("user", "default"))

    def _why_none(self) -> str:
        if self._catalogue.reasons:
            return "; ".join(self._catalogue.reasons)
        if not self._catalogue.models:
            return "the list is empty"
        if self._dialects and not any(self._speaks(model) for model in self._catalogue.models):
            return f"{self._agent_id} speaks {', '.join(self._dialects)}, and no model there is served in that"
        return "the policy allows none"


def _stands_for_another(loaded: Loaded, dotted: str) -> bool:
    """Whether a lasting setting meets an upstream that was chosen for this launch: sign-in writes it for its own."""
    lasting = ("user", "default")
    setting, upstream = loaded.origins.get(dotted), loaded.origins.get("defaults.upstream")
    return upstream is not None and upstream.source not in lasting and (setting is None or setting.source in lasting)


def _named(loaded: Loaded, dotted: str, of_agent: str, of_defaults: str) -> tuple[str, str]:
    """The model and what names it. A choice for this launch beats the agent's group, which beats the default."""
    origin = loaded.origins.get(dotted)
    if of_agent and (origin is None or origin.source in ("user", "default")):
        return of_agent, "the agent's settings"
    return of_defaults, origin.where if origin is not None else ""


def _resolve(model_id: str, named_by: str, catalogue: Catalogue, policy: Policy) -> Model:
    model = catalogue.find(model_id)
    if model is None:
        raise UnknownModel(
            model=model_id,
            upstream=catalogue.upstream,
            known=tuple(model.id for model in catalogue.models),
            named_by=named_by,
        )
    why = policy.why_not(model.id)
    if why:
        raise ModelNotAllowed(model=model.id, why=why)
    if not model.dialects:
        raise ModelNotAllowed(model=model.id, why="it speaks none of the dialects of coding agents")
    return model
