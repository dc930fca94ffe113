"""What a volunteer abroad needs to see before writing down times on the families' clock."""

from __future__ import annotations

from flask import current_app

from scheduler import clock


def both_clocks(zone: str | None) -> tuple[str, str] | None:
    """What the families' clocks show now, and the volunteer's; None where both show the same."""
    if not zone:
        return None
    now = clock.now()
    theirs = clock.to_wall(now, current_app.config["N9RAW"].civil_zone)
    own = clock.to_wall(now, zone)
    same = theirs.replace(fold=0) == own.replace(fold=0)
    return None if same else (f"{theirs:%H:%M}", f"{own:%H:%M}")
