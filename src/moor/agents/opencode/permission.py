"""OpenCode's permission rules as data, and the narrowing of one set by another.

Rules are a list (tool, pattern, action); the last one that matches wins (facts/opencode 10.1). An object of the
config cannot hold a pattern twice, so a rule that is set again moves to its end, which is what it means anyway.
"""

from __future__ import annotations

from typing import Any, Final

ALLOW: Final = "allow"
ASK: Final = "ask"
DENY: Final = "deny"
_ACTIONS: Final = (ALLOW, ASK, DENY)
_ANY: Final = "*"
_WORD_ONLY: Final = frozenset({"todowrite", "todoread", "question", "webfetch", "websearch", "doom_loop"})
"""tools whose rule must be a word: OpenCode refuses to start on an object"""

Rules = list[tuple[str, str]]
"""pattern and action, in order"""


def parse(value: Any) -> dict[str, Rules]:
    """Tool to rules, from the config's form (a word, or an object of words and objects). Raises ValueError."""
    if isinstance(value, str):
        return {_ANY: [(_ANY, _action(value))]}
    if not isinstance(value, dict):
        raise ValueError("permission is neither a word nor an object")
    out: dict[str, Rules] = {}
    for tool, rules in value.items():
        if isinstance(rules, str):
            out[str(tool)] = [(_ANY, _action(rules))]
        elif isinstance(rules, dict):
            out[str(tool)] = [(str(pattern), _action(action)) for pattern, action in rules.items()]
        else:
            raise ValueError(f"the rules of {tool} are neither a word nor an object")
    return out


def render(rules: dict[str, Rules]) -> dict[str, Any]:
    """The config's form, the rules for any tool first, because later ones win."""
    out: dict[str, Any] = {}
    for tool in sorted(rules, key=lambda name: name != _ANY):
        patterns: dict[str, str] = {}
        for pattern, action in rules[tool]:
            patterns.pop(pattern, None)
            patterns[pattern] = action
        if tool in _WORD_ONLY:
            patterns = {_ANY: patterns[_ANY]} if _ANY in patterns else {}
        if patterns:
            out[tool] = patterns[_ANY] if tool in _WORD_ONLY else patterns
    return out


def narrowed(base: dict[str, Rules], narrower: dict[str, Rules]) -> dict[str, Rules]:
    """`base` with the asks and denies of `narrower`, whose allows are ignored: nothing is wider than in `base`.

    For each tool: the base, the narrower's asks, the base from its first deny on with every allow turned into an ask
    (an ask must not lift a deny), the narrower's denies. That may ask where `base` allowed, never the reverse.
    """
    out: dict[str, Rules] = {}
    for tool in dict.fromkeys([*base, *narrower]):
        mine = _rules_for(base, tool)
        asks = [rule for rule in _rules_for(narrower, tool) if rule[1] == ASK]
        denies = [rule for rule in _rules_for(narrower, tool) if rule[1] == DENY]
        again = _from_first_deny(mine) if asks else []
        out[tool] = [*mine, *asks, *again, *denies]
    return out


def allows_of(rules: dict[str, Rules]) -> list[str]:
    """The tools for which something is allowed: what `narrowed` leaves out."""
    return [tool for tool, of_tool in rules.items() if any(action == ALLOW for _, action in of_tool)]


def _rules_for(rules: dict[str, Rules], tool: str) -> Rules:
    """What holds for one tool: the rules for any tool and its own, as far as they stand in order."""
    if tool == _ANY:
        return rules.get(_ANY, [])
    return [rule for name, of_tool in rules.items() if name in (_ANY, tool) for rule in of_tool]


def _from_first_deny(rules: Rules) -> Rules:
    first = next((at for at, rule in enumerate(rules) if rule[1] == DENY), len(rules))
    return [(pattern, DENY if action == DENY else ASK) for pattern, action in rules[first:]]


def _action(value: Any) -> str:
    if value not in _ACTIONS:
        raise ValueError(f"{value!r} is none of {', '.join(_ACTIONS)}")
    return str(value)
