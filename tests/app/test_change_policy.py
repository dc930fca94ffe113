"""The policy in code and the table in docs/changes.md say the same, cell by cell."""

from __future__ import annotations

from datetime import timedelta

from app.services.change_policy import POLICIES, Act, May, Policy, Role
from config import ROOT

HEADINGS = (
    "act",
    "by",
    "may",
    "until before the lesson",
    "new time from now",
    "new day within",
    "outside hours",
    "reason",
    "is told",
    "goes with it",
)


def cells(act: Act, role: Role, policy: Policy) -> list[str]:
    """One line of the table, in words."""
    return [
        act.value,
        role.value,
        policy.may.value,
        span(policy.until, "it begins"),
        span(policy.ahead, "now"),
        span(policy.within, "the day"),
        "" if policy.hours is None else policy.hours.value,
        "yes" if policy.reason else "",
        ", ".join(one.value for one in policy.told),
        ", ".join(one.value for one in policy.undone),
    ]


def span(length: timedelta | None, none_at_all: str) -> str:
    if length is None:
        return ""
    if not length:
        return none_at_all
    if length % timedelta(days=1):
        return f"{length // timedelta(hours=1)} h"
    return f"{length.days} days"


def documented() -> list[list[str]]:
    text = (ROOT / "docs" / "changes.md").read_text(encoding="utf-8")
    table = text.partition("<!-- policy -->")[2].partition("<!-- /policy -->")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_documented_table_is_the_policy_cell_by_cell() -> None:
    heading, _rule, *rows = documented()
    assert heading == list(HEADINGS)
    assert rows == [cells(act, role, policy) for (act, role), policy in POLICIES.items()]


def test_policy_knows_every_act_of_every_role_in_order() -> None:
    assert list(POLICIES) == [(act, role) for act in Act for role in Role]


def test_what_nobody_may_tells_and_undoes_nothing() -> None:
    idle = [policy for policy in POLICIES.values() if policy.may is May.NO]
    assert idle == [Policy(May.NO)] * len(idle)
