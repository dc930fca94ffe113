"""Exports of what was said: messages, worries, calls, notes, and the trace.

The texts of messages that bring codes and links stay out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import joinedload, lazyload, selectinload

from app.extensions import db
from app.i18n import _l
from app.models import (
    SECRET_KINDS,
    AuditEntry,
    CallRequest,
    Household,
    Message,
    MessageWording,
    Note,
    Pupil,
    Reminder,
    Worry,
)
from app.services.exports.safe_text import phone_text
from app.services.exports.table import Export, Row, moment, read_names, several, streamed
from app.services.scope import Scope


def _messages(_scope: Scope) -> Iterator[Row]:
    names, children = read_names(), children_by_household()
    for message in streamed(select(Message).order_by(Message.id).options(lazyload("*"))):
        address = message.address or message.to_address
        yield Row(
            (
                message.id,
                message.household_id,
                message.tutor_id,
                names.coordinator(message.coordinator_id),
                phone_text(address) if (address or "").startswith("+") else address,
                message.kind.value,
                message.state.value,
                message.language,
                message.gateway,
                message.tries,
                message.resent,
                message.error,
                moment(message.due_at),
                moment(message.expires_at),
                moment(message.handed_at),
                moment(message.ended_at),
                None if message.kind in SECRET_KINDS else message.text,
                message.parts,
                None if message.cost is None else message.cost / 1000,
                message.fallback_of_id,
                names.coordinator(message.by_id),
            ),
            children.get(message.household_id or 0, ()),
        )


def _reminders(_scope: Scope) -> Iterator[Row]:
    children = children_by_household()
    for reminder in streamed(select(Reminder).order_by(Reminder.id)):
        yield Row(
            (
                reminder.id,
                reminder.lesson_id,
                reminder.lesson_version,
                reminder.household_id,
                reminder.tutor_id,
                reminder.kind.value,
                moment(reminder.due_at),
                moment(reminder.expires_at),
                moment(reminder.cancelled_at),
                reminder.message_id,
            ),
            children.get(reminder.household_id or 0, ()),
        )


def _worries(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    worries = select(Worry).order_by(Worry.id)
    for worry in streamed(worries.options(joinedload(Worry.household).options(*_with_family()))):
        yield Row(
            (
                worry.id,
                worry.household_id,
                worry.household.guardian.name,
                worry.text,
                moment(worry.reported_at),
                moment(worry.seen_at),
                names.coordinator(worry.seen_by_id),
            ),
            tuple(pupil.id for pupil in worry.household.pupils),
        )


def _calls(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    calls = select(CallRequest).order_by(CallRequest.id)
    household = joinedload(CallRequest.household).options(*_with_family())
    for call in streamed(calls.options(household)):
        yield Row(
            (
                call.id,
                call.household_id,
                call.household.guardian.name,
                moment(call.asked_at),
                moment(call.called_at),
                names.coordinator(call.called_by_id),
                call.tutor_id,
            ),
            tuple(pupil.id for pupil in call.household.pupils),
        )


def _notes(_scope: Scope) -> Iterator[Row]:
    names, children = read_names(), children_by_household()
    for note in streamed(select(Note).order_by(Note.id).options(lazyload("*"))):
        yield Row(
            (
                note.id,
                note.household_id,
                note.tutor_id,
                note.text,
                names.coordinator(note.by_id),
                moment(note.at),
            ),
            children.get(note.household_id or 0, ()),
        )


def _trace(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    for entry in streamed(select(AuditEntry).order_by(AuditEntry.id).options(lazyload("*"))):
        yield Row(
            (
                entry.id,
                moment(entry.at),
                names.coordinator(entry.coordinator_id),
                entry.action,
                entry.subject,
                several(str(number) for number in entry.pupil_ids),
                json.dumps(entry.detail, ensure_ascii=False, sort_keys=True),
            ),
            tuple(entry.pupil_ids),
        )


def _wordings(_scope: Scope) -> Iterator[Row]:
    names = read_names()
    rows = select(MessageWording).order_by(
        MessageWording.kind, MessageWording.audience, MessageWording.language
    )
    for row in streamed(rows):
        yield Row(
            (
                row.kind.value,
                row.audience,
                names.message_language(row.language),
                row.body,
                moment(row.changed_at),
                names.coordinator(row.changed_by_id),
            )
        )


def children_by_household() -> dict[int, tuple[int, ...]]:
    """The ids of each household's children."""
    found: dict[int, tuple[int, ...]] = {}
    for household_id, pupil_id in db.session.execute(select(Pupil.household_id, Pupil.id)):
        found[household_id] = (*found.get(household_id, ()), pupil_id)
    return found


def _with_family() -> tuple[Any, ...]:
    return (
        lazyload("*"),
        joinedload(Household.guardian),
        selectinload(Household.pupils).options(lazyload("*")),
    )


CONTACT_EXPORTS: Final = (
    Export(
        "messages",
        _l("Messages, without codes and links"),
        (
            _l("Number"),
            _l("Family’s number"),
            _l("Volunteer’s number"),
            _l("Coordinator"),
            _l("Address"),
            _l("Kind"),
            _l("State"),
            _l("Language"),
            _l("Gateway"),
            _l("Tries"),
            _l("Sent twice"),
            _l("What went wrong"),
            _l("Due at"),
            _l("Expires at"),
            _l("Handed over at"),
            _l("Ended at"),
            _l("Text"),
            _l("Parts"),
            _l("Cost in dirhams"),
            _l("Says again, by another way, the number"),
            _l("Written by"),
        ),
        _messages,
        ("message",),
    ),
    Export(
        "reminders",
        _l("Reminders"),
        (
            _l("Number"),
            _l("Lesson’s number"),
            _l("Version of the lesson"),
            _l("Family’s number"),
            _l("Volunteer’s number"),
            _l("Kind"),
            _l("Due at"),
            _l("Expires at"),
            _l("Cancelled at"),
            _l("Message’s number"),
        ),
        _reminders,
        ("reminder",),
    ),
    Export(
        "wordings",
        _l("Wordings of messages"),
        (
            _l("Kind"),
            _l("For whom"),
            _l("Language"),
            _l("Text"),
            _l("Changed at"),
            _l("Changed by"),
        ),
        _wordings,
        ("message_wording",),
    ),
    Export(
        "worries",
        _l("Worries"),
        (
            _l("Number"),
            _l("Family’s number"),
            _l("Guardian"),
            _l("Text"),
            _l("Reported at"),
            _l("Taken up at"),
            _l("Taken up by"),
        ),
        _worries,
        ("worry",),
    ),
    Export(
        "calls",
        _l("Calls that families asked for"),
        (
            _l("Number"),
            _l("Family’s number"),
            _l("Guardian"),
            _l("Asked at"),
            _l("Called at"),
            _l("Called by"),
            _l("Passed on to the volunteer number"),
        ),
        _calls,
        ("call_request",),
    ),
    Export(
        "notes",
        _l("Notes"),
        (
            _l("Number"),
            _l("Family’s number"),
            _l("Volunteer’s number"),
            _l("Text"),
            _l("Recorded by"),
            _l("Written at"),
        ),
        _notes,
        ("note",),
    ),
    Export(
        "trace",
        _l("Who saw what"),
        (
            _l("Number"),
            _l("When"),
            _l("Who"),
            _l("What"),
            _l("Of what"),
            _l("Children"),
            _l("Details"),
        ),
        _trace,
        ("audit_entry",),
    ),
)
