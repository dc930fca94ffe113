"""Exports of what the programme offers: zones, subjects, levels and the other lists."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from sqlalchemy import select

from app.i18n import _l
from app.models import Channel, Language, Level, Setting, Subject, Tag, Term, Zone
from app.services.exports.table import Export, Row, Value, several, streamed
from app.services.scope import Scope


def _zones(scope: Scope) -> Iterator[Row]:
    for zone in streamed(select(Zone).where(scope.limits(Zone.id)).order_by(Zone.key)):
        yield Row((zone.id, zone.name, zone.name_ar, zone.listed))


def _subjects(_scope: Scope) -> Iterator[Row]:
    for subject in streamed(select(Subject).order_by(Subject.id)):
        yield Row(_offered(subject))


def _levels(_scope: Scope) -> Iterator[Row]:
    for level in streamed(select(Level).order_by(Level.rank)):
        yield Row((*_offered(level), level.exam, level.exam_on, level.weight))


def _channels(_scope: Scope) -> Iterator[Row]:
    for channel in streamed(select(Channel).order_by(Channel.rank)):
        yield Row((*_offered(channel), channel.max_group, channel.cost, channel.variant_of))


def _languages(_scope: Scope) -> Iterator[Row]:
    for language in streamed(select(Language).order_by(Language.rank)):
        yield Row(_offered(language))


def _tags(_scope: Scope) -> Iterator[Row]:
    for tag in streamed(select(Tag).order_by(Tag.rank)):
        yield Row(_offered(tag))


def _terms(_scope: Scope) -> Iterator[Row]:
    for term in streamed(select(Term).order_by(Term.first_day, Term.id)):
        yield Row((term.id, term.name, term.first_day, term.last_day))


def _settings(_scope: Scope) -> Iterator[Row]:
    for setting in streamed(select(Setting).order_by(Setting.key)):
        yield Row((setting.key, json.dumps(setting.value, ensure_ascii=False)))


def _offered(row: Subject | Level | Channel | Language | Tag) -> tuple[Value, ...]:
    return (
        row.code,
        row.name_fr,
        row.name_ar,
        row.name_en,
        several(row.also or ()),
        row.retired,
    )


_OFFERED: Final = (
    _l("Code"),
    _l("Name in French"),
    _l("Name in Arabic"),
    _l("Name in English"),
    _l("Other spellings"),
    _l("No longer offered"),
)

PROGRAMME_EXPORTS: Final = (
    Export(
        "zones",
        _l("Zones"),
        (_l("Number"), _l("Name"), _l("Name in Arabic"), _l("Listed")),
        _zones,
        ("zone",),
        for_zones=True,
    ),
    Export("subjects", _l("Subjects"), _OFFERED, _subjects, ("subject",), for_zones=True),
    Export(
        "levels",
        _l("Levels"),
        (*_OFFERED, _l("With an exam"), _l("Day of the exam"), _l("Weight")),
        _levels,
        ("level",),
        for_zones=True,
    ),
    Export(
        "channels",
        _l("Channels"),
        (*_OFFERED, _l("Pupils in a group at most"), _l("Cost"), _l("One-to-one form of")),
        _channels,
        ("channel",),
        for_zones=True,
    ),
    Export("languages", _l("Languages"), _OFFERED, _languages, ("language",), for_zones=True),
    Export("tags", _l("Tags"), _OFFERED, _tags, ("tag",), for_zones=True),
    Export(
        "terms",
        _l("Terms"),
        (_l("Number"), _l("Name"), _l("First day"), _l("Last day")),
        _terms,
        ("term",),
        for_zones=True,
    ),
    Export("settings", _l("Settings"), (_l("What"), _l("Value")), _settings, ("setting",)),
)
