"""Which models a session runs on: flag, environment, project, then the agent's group, then the defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from moor.domain import pick
from moor.domain.models import Catalogue, Model
from moor.domain.policy import Policy
from moor.errors.launch import ModelNotAllowed, NoModel, UnknownModel

if TYPE_CHECKING:
    from moor.store.settings import Loaded


class Chosen(NamedTuple):
    """The session's models."""

    main: Model
    small: Model
    allowed: tuple[Model, ...]


def choose_models(loaded: Loaded, catalogue: Catalogue, policy: Policy, agent_id: str) -> Chosen:
    """Raises UnknownModel, ModelNotAllowed or NoModel; a model that was named is never replaced silently."""
    allowed = tuple(model for model in catalogue.models if model.dialects and policy.why_not(model.id) is None)
    group = loaded.settings.agent(agent_id)
    named, by = _named(loaded, "defaults.model", group.model, loaded.settings.defaults.model)
    main = _resolve(named, by, catalogue, policy) if named else pick.main_model(allowed)
    if main is None:
        why = "; ".join(catalogue.reasons) or ("the policy allows none" if catalogue.models else "the list is empty")
        raise NoModel(upstream=catalogue.upstream, why=why)
    named, by = _named(loaded, "defaults.small_model", group.small_model, loaded.settings.defaults.small_model)
    if named and catalogue.find(named) is None and _stands_for_another(loaded, "defaults.small_model"):
        named = ""
    small = _resolve(named, by, catalogue, policy) if named else pick.small_model(allowed, main)
    return Chosen(main, small, allowed)


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
