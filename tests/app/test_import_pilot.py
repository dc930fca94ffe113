"""The pilot's two lists, from files to rows and back again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import (
    AuditEntry,
    Consent,
    Household,
    HouseholdWindow,
    ListKind,
    Pupil,
    Tutor,
    TutoringRequest,
    TutorState,
    TutorWindow,
    Zone,
)
from app.services.consent import CONSENT_TEXT_VERSION
from app.services.imports import Effects, apply_import, plan_import
from app.services.programme import load_programme
from tests.support.lists import (
    PILOT_PUPILS,
    PILOT_VOLUNTEERS,
    contents,
    count,
    make_list,
    statuses,
)
from tests.support.people import make_coordinator


@pytest.fixture(autouse=True)
def _programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        load_programme()
        yield


def file_rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def parts(cell: str) -> int:
    return cell.count(";") + 1


def test_pilots_pupils_are_stored_as_the_file_says() -> None:
    rows = file_rows(PILOT_PUPILS)
    # Counted here from the file, beside the figures of the pilot itself.
    assert len(rows) == 76
    assert len({row["telephone"] for row in rows}) == 53
    assert sum(parts(row["matieres"]) for row in rows) == 121

    by = make_coordinator()
    report = apply_import(ListKind.PUPILS, PILOT_PUPILS, by)

    assert statuses(report) == ["new"] * 76
    assert report.effects == Effects(households_added=53, requests_added=121, consents_given=152)
    assert len(report.new_zones) == 9
    assert count(Pupil) == 76
    assert count(Household) == 53
    assert count(TutoringRequest) == 121
    assert count(Consent) == 152
    assert count(Zone) == 9
    windows = {row["telephone"]: parts(row["joignable"]) for row in rows}
    assert count(HouseholdWindow) == sum(windows.values())
    consents = db.session.scalars(select(Consent)).all()
    assert {(c.given, c.declared_by_id, c.text_version) for c in consents} == {
        (True, by.id, CONSENT_TEXT_VERSION)
    }


def test_one_of_the_pilots_families_reads_as_the_file_says() -> None:
    apply_import(ListKind.PUPILS, PILOT_PUPILS, None)
    home = db.session.scalars(select(Household).where(Household.phone == "+212600000102")).one()
    assert home.guardian.name == "Walid Touil"
    assert home.zone.name == "Aïn Kaïcher"
    assert {one.language for one in home.languages} == {"darija", "ar", "fr"}
    assert {one.channel for one in home.channels} == {"call"}
    assert sorted(window.as_window() for window in home.windows) == [
        (1, 1050, 1170),
        (2, 1140, 1230),
        (6, 600, 840),
    ]
    assert not home.times_to_agree
    assert [
        (p.ref, p.name, p.level.code, {(r.subject.code, r.level.code) for r in p.requests})
        for p in home.pupils
    ] == [
        ("P002", "Hiba Touil", "3AC", {("maths", "3AC"), ("french", "3AC")}),
        ("P003", "Walid Touil", "3AC", {("maths", "3AC")}),
    ]


def test_two_children_of_one_name_in_one_family_stay_two() -> None:
    apply_import(ListKind.PUPILS, PILOT_PUPILS, None)
    found = db.session.scalars(
        select(Pupil).where(Pupil.first_name == "Wiam", Pupil.last_name == "Wahbi")
    )
    assert {(pupil.ref, pupil.level.code) for pupil in found} == {("P052", "2AC"), ("P053", "3AC")}


def test_pilots_volunteers_wait_for_vetting() -> None:
    rows = file_rows(PILOT_VOLUNTEERS)
    report = apply_import(ListKind.VOLUNTEERS, PILOT_VOLUNTEERS, None)
    assert statuses(report) == ["new"] * 20
    tutors = db.session.scalars(select(Tutor)).all()
    assert len(tutors) == 20
    assert {tutor.state for tutor in tutors} == {TutorState.REGISTERED}
    assert sum(tutor.max_lessons_per_week for tutor in tutors) == sum(
        int(row["seances_par_semaine"]) for row in rows
    )
    assert count(TutorWindow) == sum(parts(row["disponible"]) for row in rows)
    first = next(tutor for tutor in tutors if tutor.ref == "V01")
    assert (first.email, first.phone) == ("v01@example.org", "+212600000201")
    assert len(first.teaches) == 4  # 4AEP, 5AEP, 6AEP, 1AC


@pytest.mark.parametrize(
    ("kind", "content"),
    [(ListKind.PUPILS, PILOT_PUPILS), (ListKind.VOLUNTEERS, PILOT_VOLUNTEERS)],
)
def test_same_file_twice_changes_nothing(kind: ListKind, content: bytes) -> None:
    apply_import(kind, content, None)
    before = contents()
    report = apply_import(kind, content, None)
    assert set(statuses(report)) == {"same"}
    assert report.effects == Effects()
    assert contents() == before


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_delimiter_and_byte_order_mark_make_no_difference(delimiter: str, encoding: str) -> None:
    apply_import(ListKind.PUPILS, PILOT_PUPILS, None)
    other = make_list(*file_rows(PILOT_PUPILS), delimiter=delimiter, encoding=encoding)
    assert set(statuses(plan_import(ListKind.PUPILS, other))) == {"same"}


def test_columns_may_stand_in_any_order_under_any_spelling_of_their_headings() -> None:
    apply_import(ListKind.PUPILS, PILOT_PUPILS, None)
    spelled = {"prenom": "Prénom", "telephone": "TÉLÉPHONE", "tuteur_legal": " Tuteur légal "}
    rows = [
        {spelled.get(heading, heading): cell for heading, cell in reversed(row.items())}
        for row in file_rows(PILOT_PUPILS)
    ]
    assert set(statuses(plan_import(ListKind.PUPILS, make_list(*rows)))) == {"same"}


def test_rows_absent_from_a_file_stay() -> None:
    apply_import(ListKind.PUPILS, PILOT_PUPILS, None)
    before = contents()
    half = make_list(*file_rows(PILOT_PUPILS)[:30])
    apply_import(ListKind.PUPILS, half, None)
    assert contents() == before


def test_an_import_leaves_one_trace_with_the_children_it_touched() -> None:
    by = make_coordinator()
    apply_import(ListKind.PUPILS, PILOT_PUPILS, by)
    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "import")).one()
    assert entry.coordinator_id == by.id
    assert entry.subject == "list:pupils"
    assert entry.pupil_ids == sorted(db.session.scalars(select(Pupil.id)))
    assert entry.detail["rows"] == {"new": 76, "changed": 0, "same": 0, "bad": 0}
