"""What a new plan changes for the people of an old one."""

from __future__ import annotations

from dataclasses import dataclass

from matching.plan import Plan
from matching.problem import Problem

Place = tuple[str, tuple[int | None, ...], str, str]  # tutor, starts, channel, language


@dataclass(frozen=True, slots=True)
class Changes:
    """Requests by their ids, in the problem's order; those fallen in the old plan's.

    `moved` and `dropped` are pairs that could have stayed as they were: they now have another
    tutor, time, channel or language, or no seat. `fallen` are those that could not, whether or
    not the new plan has another seat for them (`reseated`). `added` had no seat before.
    """

    moved: tuple[str, ...]
    dropped: tuple[str, ...]
    added: tuple[str, ...]
    fallen: tuple[str, ...]
    reseated: tuple[str, ...]

    @property
    def count(self) -> int:
        """What the limit of a repair counts."""
        return len(self.moved) + len(self.dropped)


def changes(problem: Problem, old: Plan, new: Plan) -> Changes:
    """What `new`, a plan of this problem, changes of `old`, made before the problem changed."""
    from matching.standing import stand  # loads numpy, which `import matching` does not

    standing = stand(problem, old)
    pairs = {problem.requests[r].id for r in standing.pairs}
    before, after = _places(old), _places(new)
    in_order = [request.id for request in problem.requests]
    stood = [name for name in in_order if name in pairs]
    fallen = tuple(name for name in before if name not in pairs)
    return Changes(
        moved=tuple(name for name in stood if name in after and after[name] != before[name]),
        dropped=tuple(name for name in stood if name not in after),
        added=tuple(name for name in in_order if name in after and name not in before),
        fallen=fallen,
        reseated=tuple(name for name in fallen if name in after),
    )


def _places(plan: Plan) -> dict[str, Place]:
    """The place of every request that is served."""
    places: dict[str, Place] = {}
    for group in plan.groups:
        starts = tuple(sorted(group.starts, key=lambda start: (start is None, start or 0)))
        for name in group.requests:
            places.setdefault(name, (group.tutor, starts, group.channel, group.language))
    return places
