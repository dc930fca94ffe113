"""What the programme offers, kept in app/data/programme.toml and loaded into the tables."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import plain_key
from app.models import Channel, Language, Level, Subject

PROGRAMME_FILE = Path(__file__).resolve().parent.parent / "data" / "programme.toml"


@dataclass(frozen=True, slots=True)
class MatchingRules:
    """What every match run is given beside the people, in minutes."""

    lesson_minutes: int
    start_every: int


@cache
def _programme() -> dict[str, Any]:
    return tomllib.loads(PROGRAMME_FILE.read_text(encoding="utf-8"))


def matching_rules() -> MatchingRules:
    """The length of a lesson and the grid on which lessons start."""
    return MatchingRules(**_programme()["matching"])


def load_programme() -> None:
    """Bring subjects, levels, channels and languages to the programme file; delete none."""
    listed = _programme()
    with transaction():
        _load(Subject, listed["subjects"], ranked=False)
        _load(Level, listed["levels"], ranked=True)
        _load(Channel, listed["channels"], ranked=True)
        _load(Language, listed["languages"], ranked=True)


def _load(table: Any, entries: list[dict[str, Any]], *, ranked: bool) -> None:
    known = {row.code: row for row in db.session.scalars(select(table))}
    if ranked:
        # Ranks are unique: those in the way are moved aside before the new order is written.
        for row in known.values():
            row.rank = -row.rank - 1
        db.session.flush()
    for rank, entry in enumerate(entries):
        values = {key: entry[key] for key in entry if key not in ("fr", "ar", "en", "also")}
        values |= {f"name_{locale}": entry[locale] for locale in ("fr", "ar", "en")}
        if ranked:
            values["rank"] = rank
        row = known.get(entry["code"])
        if row is None:
            db.session.add(table(**values))
        else:
            for name, value in values.items():
                setattr(row, name, value)
        db.session.flush()


def spellings(section: str) -> dict[str, str]:
    """Every accepted spelling, as a plain key (see `plain_key`), to its code.

    `section` is "subjects", "levels", "channels" or "languages". One-to-one variants of channels
    are the program's own and can't be asked for.
    """
    accepted: dict[str, str] = {}
    for entry in _programme()[section]:
        if "variant_of" in entry:
            continue
        for text in (entry["code"], entry["fr"], entry["ar"], entry["en"], *entry.get("also", [])):
            accepted[plain_key(text)] = entry["code"]
    return accepted


def stages() -> dict[str, tuple[str, str]]:
    """Names of several levels at once, as plain keys, to the codes of the first and the last."""
    return {
        plain_key(name): (stage["levels"][0], stage["levels"][1])
        for stage in _programme()["stages"]
        for name in stage["names"]
    }


def names(section: str, locale: str) -> dict[str, str]:
    """Code to name in "fr", "ar" or "en", in the programme's order, without one-to-one variants."""
    return {
        entry["code"]: entry[locale if locale in ("ar", "en") else "fr"]
        for entry in _programme()[section]
        if "variant_of" not in entry
    }
