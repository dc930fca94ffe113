"""An edited volunteers' list against what is known."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import select

from app.extensions import db
from app.models import ListKind, Tutor, TutorState
from app.services.imports import BadRows, ImportReport, apply_import, plan_import
from app.services.programme import load_programme
from tests.support.lists import (
    ILYAS,
    RANIA,
    changes,
    contents,
    count,
    make_list,
    problems,
    statuses,
    without,
)
from tests.support.people import make_coordinator
from tests.support.vetting import vet_tutor


@pytest.fixture(autouse=True)
def _programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        load_programme()
        yield


def store(*rows: dict[str, str]) -> ImportReport:
    return apply_import(ListKind.VOLUNTEERS, make_list(*rows), None)


def tutor(ref: str) -> Tutor:
    return db.session.scalars(select(Tutor).where(Tutor.ref == ref)).one()


def test_edited_volunteer_changes_and_stays_vetted() -> None:
    store(RANIA, ILYAS)
    vet_tutor(tutor("V1").id, make_coordinator())
    report = store(
        {
            **RANIA,
            "email": "r.mounir@example.org",
            "enseigne": "SVT: TC",
            "disponible": "",
            "seances_par_semaine": "0",
        }
    )
    assert changes(report, 2) == {
        "email": ("rania@example.org", "r.mounir@example.org"),
        "enseigne": (
            (("maths", "4AEP"), ("maths", "5AEP"), ("maths", "6AEP"), ("svt", "TC")),
            (("svt", "TC"),),
        ),
        "disponible": (((2, 1050, 1200), (5, 900, 1020)), None),
        "seances_par_semaine": (4, 0),
    }
    changed = tutor("V1")
    assert changed.state is TutorState.VETTED
    assert changed.email == "r.mounir@example.org"
    assert len(changed.teaches) == 1
    assert changed.times_to_agree
    assert changed.windows == []
    assert len(tutor("V2").teaches) == 4


@pytest.mark.parametrize(
    "row",
    [
        without(RANIA, "benevole"),
        {**RANIA, "benevole": ""},
        {**RANIA, "email": "RANIA@Example.org", "telephone": "+212 600 000 201"},
    ],
)
def test_volunteer_is_found_by_number_or_address(row: dict[str, str]) -> None:
    store(RANIA)
    before = contents()
    assert statuses(store(row)) == ["same"]
    assert contents() == before


def test_volunteer_without_number_and_address_is_found_by_telephone() -> None:
    store({**RANIA, "benevole": "", "email": ""})
    report = store({**RANIA, "benevole": ""})
    assert changes(report, 2) == {"email": (None, "rania@example.org")}
    report = store(RANIA)
    assert changes(report, 2) == {"benevole": (None, "V1")}
    assert count(Tutor) == 1


def test_address_or_telephone_of_another_volunteer_names_them() -> None:
    store(RANIA)
    content = make_list({**ILYAS, "email": RANIA["email"], "telephone": RANIA["telephone"]})
    report = plan_import(ListKind.VOLUNTEERS, content)
    assert problems(report) == [
        (2, "email", RANIA["email"], "email_taken"),
        (2, "telephone", RANIA["telephone"], "phone_taken"),
    ]
    assert [dict(p.values) for p in report.rows[0].problems] == [{"name": "Rania Mounir (V1)"}] * 2


def test_telephone_under_another_address_is_another_persons() -> None:
    store(RANIA)
    report = plan_import(
        ListKind.VOLUNTEERS, make_list({**ILYAS, "benevole": "", "telephone": "0600000201"})
    )
    assert problems(report) == [(2, "telephone", "0600000201", "phone_taken")]


def test_stranger_with_a_vetted_volunteers_number_is_bad() -> None:
    store(RANIA)
    vet_tutor(tutor("V1").id, make_coordinator())
    before = contents()
    stranger = {
        **ILYAS,
        "benevole": "V1",
        "nom": "Autre",
        "email": "autre@example.org",
        "telephone": "0655000111",
    }
    with pytest.raises(BadRows) as refused:
        store(stranger)
    report = refused.value.report
    assert problems(report) == [(2, "benevole", "V1", "other_person")]
    with force_locale("en"):
        assert str(report.rows[0].problems[0]) == (
            "Row 2, column “benevole”, read “V1”: This number is somebody else's in what is "
            "known: Rania Mounir. Expected: a number of its own. If it is the same person, store "
            "the new name first, then the new telephone or address."
        )
    assert contents() == before


def test_stranger_without_one_of_the_addresses_is_bad_too() -> None:
    store({**RANIA, "email": ""})
    stranger = {**ILYAS, "benevole": "V1", "email": "", "telephone": "0655000111"}
    report = plan_import(ListKind.VOLUNTEERS, make_list(stranger))
    assert problems(report) == [(2, "benevole", "V1", "other_person")]


@pytest.mark.parametrize(
    "changed",
    [
        {"nom": "Alami", "email": "alami@example.org"},
        {"nom": "Alami", "telephone": "0655000111"},
        {"nom": "MOUNIR ", "email": "r@example.org", "telephone": "0655000111"},
    ],
)
def test_volunteer_may_change_name_or_addresses(changed: dict[str, str]) -> None:
    store(RANIA)
    report = store({**RANIA, **changed})
    assert statuses(report) == ["changed"]
    assert set(changes(report, 2)) == set(changed)
    ended = tutor("V1").signed_out_at
    assert ended is not None
    store({**RANIA, **changed, "prenom": "Rani"})
    assert tutor("V1").signed_out_at == ended
