"""Which models may be called: globs on model ids; deny wins; an empty allow list allows all."""

from __future__ import annotations

import fnmatch

import msgspec


class Policy(msgspec.Struct, frozen=True):
    """`layers`: pairs (allow, deny) from administrator to command line; a model must pass every layer."""

    layers: tuple[PolicyLayer, ...] = ()

    def why_not(self, model_id: str) -> str | None:
        """None when the model is allowed, else one clause that names the rule and the level."""
        for layer in self.layers:
            refused = layer.why_not(model_id)
            if refused:
                return refused
        return None

    def narrowed(self, layer: PolicyLayer) -> Policy:
        """This policy with one more level below it."""
        return Policy((*self.layers, layer)) if layer.allow or layer.deny else self


class PolicyLayer(msgspec.Struct, frozen=True):
    """One level's rules; it can narrow what stands above it, never widen."""

    level: str
    """`administrator`, `user`, `project`, `session`, `key`"""
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def why_not(self, model_id: str) -> str | None:
        """None when this level lets the model through."""
        for pattern in self.deny:
            if fnmatch.fnmatchcase(model_id, pattern):
                return f"denied by {pattern!r} in the {self.level} policy"
        if self.allow and not any(fnmatch.fnmatchcase(model_id, pattern) for pattern in self.allow):
            return f"not on the allow list of the {self.level} policy"
        return None
