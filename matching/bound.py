"""Upper bounds on what any plan can do, cheap and valid at every size."""

from __future__ import annotations

from matching.rules import Rules


def servable(rules: Rules) -> list[int]:
    """The requests that at least one tutor could serve, alone in the world."""
    return [
        r for r in range(len(rules.requests)) if r in rules.pins or rules.teachers(r).passing(r)[0]
    ]


def can_keep_tutor(rules: Rules, r: int) -> bool:
    """Whether the previous tutor could serve the request again, alone in the world."""
    previous = rules.requests[r].previous_tutor
    if previous is None:
        return False
    if r in rules.pins:
        return rules.pins[r].tutor == previous
    teachers = rules.teachers(r)
    place = teachers.place.get(rules.tutor_index[previous])
    return place is not None and bool(teachers.passing(r)[0] >> place & 1)
