"""Exports of texts and calls that came in, of questions, and of what was told of changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import lazyload

from app.i18n import _l
from app.models import InboundMessage, Notice, Question
from app.services.exports.contact import children_by_household
from app.services.exports.safe_text import phone_text
from app.services.exports.table import Export, Row, moment, read_names, streamed
from app.services.scope import Scope


def _texts(_scope: Scope) -> Iterator[Row]:
    names, children = read_names(), children_by_household()
    texts = select(InboundMessage).order_by(InboundMessage.id).options(lazyload("*"))
    for text in streamed(texts):
        address = text.from_address
        yield Row(
            (
                text.id,
                moment(text.received_at),
                text.gateway,
                phone_text(address) if address.startswith("+") else address,
                text.household_id,
                text.tutor_id,
                text.text,
                text.meaning.value,
                text.lesson_id,
                text.question_id,
                text.message_id,
                moment(text.read_at),
                names.coordinator(text.read_by_id),
            ),
            children.get(text.household_id or 0, ()),
        )


def _questions(_scope: Scope) -> Iterator[Row]:
    children = children_by_household()
    for question in streamed(select(Question).order_by(Question.id).options(lazyload("*"))):
        yield Row(
            (
                question.id,
                question.kind.value,
                question.household_id,
                question.tutor_id,
                question.lesson_id,
                json.dumps(question.options, ensure_ascii=False),
                question.answer,
                moment(question.asked_at),
                moment(question.expires_at),
                moment(question.answered_at),
                moment(question.ended_at),
                question.message_id,
            ),
            children.get(question.household_id or 0, ()),
        )


def _notices(_scope: Scope) -> Iterator[Row]:
    children = children_by_household()
    for notice in streamed(select(Notice).order_by(Notice.id).options(lazyload("*"))):
        yield Row(
            (
                notice.id,
                notice.household_id,
                notice.tutor_id,
                notice.lesson_id,
                notice.group_id,
                json.dumps(notice.was, ensure_ascii=False, sort_keys=True),
                moment(notice.created_at),
                moment(notice.cancelled_at),
                notice.message_id,
            ),
            children.get(notice.household_id or 0, ()),
        )


ANSWER_EXPORTS: Final = (
    Export(
        "texts",
        _l("Texts and calls that came in"),
        (
            _l("Number"),
            _l("Received at"),
            _l("Gateway"),
            _l("From"),
            _l("Family’s number"),
            _l("Volunteer’s number"),
            _l("Text"),
            _l("Taken for"),
            _l("Lesson’s number"),
            _l("Question’s number"),
            _l("Message’s number"),
            _l("Read at"),
            _l("Read by"),
        ),
        _texts,
        ("inbound_message",),
    ),
    Export(
        "questions",
        _l("Questions by text"),
        (
            _l("Number"),
            _l("Kind"),
            _l("Family’s number"),
            _l("Volunteer’s number"),
            _l("Lesson’s number"),
            _l("What each key means"),
            _l("Key that was chosen"),
            _l("Asked at"),
            _l("Expires at"),
            _l("Answered at"),
            _l("Ended at"),
            _l("Message’s number"),
        ),
        _questions,
        ("question",),
    ),
    Export(
        "notices",
        _l("What was told of changes"),
        (
            _l("Number"),
            _l("Family’s number"),
            _l("Volunteer’s number"),
            _l("Lesson’s number"),
            _l("Group’s number"),
            _l("As it was before"),
            _l("Written at"),
            _l("Cancelled at"),
            _l("Message’s number"),
        ),
        _notices,
        ("notice",),
    ),
)
