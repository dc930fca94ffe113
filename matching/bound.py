"""An upper bound on the weight that any plan serves, cheap and valid at every size."""

from __future__ import annotations

from matching.rules import Rules


def servable_weight(rules: Rules) -> int:
    """The weight of the requests that at least one tutor could serve, alone in the world."""
    return sum(rules.requests[r].weight for r in servable(rules))


def servable(rules: Rules) -> list[int]:
    return [
        r for r in range(len(rules.requests)) if r in rules.pins or len(rules.filtered(r)[0]) > 0
    ]
