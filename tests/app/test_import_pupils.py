"""An edited pupils' list against what is known: requests, families, telephones, consents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import select, update

from app.database import transaction
from app.extensions import db
from app.models import (
    Consent,
    ConsentKind,
    Household,
    ListKind,
    Pupil,
    RequestState,
    TutoringRequest,
    Zone,
)
from app.services.consent import in_force
from app.services.imports import Effects, ImportReport, apply_import, plan_import
from app.services.imports.wording import Statement
from app.services.programme import load_programme
from tests.support.lists import (
    HIBA,
    SARA,
    WALID,
    changes,
    contents,
    count,
    make_list,
    problems,
    statuses,
    without,
)


@pytest.fixture(autouse=True)
def _programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        load_programme()
        yield


def store(*rows: dict[str, str]) -> ImportReport:
    return apply_import(ListKind.PUPILS, make_list(*rows), None)


def pupil(ref: str) -> Pupil:
    return db.session.scalars(select(Pupil).where(Pupil.ref == ref)).one()


def requests_of(ref: str) -> dict[str, tuple[str, str]]:
    return {r.subject.code: (r.state.value, r.level.code) for r in pupil(ref).requests}


def phones() -> dict[str, list[str | None]]:
    """Telephone to the numbers of the children there."""
    return {
        home.phone: [p.ref for p in home.pupils] for home in db.session.scalars(select(Household))
    }


def test_removed_subject_ends_its_request_and_comes_back_waiting() -> None:
    store(HIBA)
    report = store({**HIBA, "matieres": "Français; SVT"})
    assert changes(report, 2) == {"matieres": (("maths", "french"), ("svt", "french"))}
    assert report.effects == Effects(requests_added=1, requests_ended=1)
    assert requests_of("P1") == {
        "maths": ("ended", "3AC"),
        "french": ("waiting", "3AC"),
        "svt": ("waiting", "3AC"),
    }

    report = store(HIBA)
    assert report.effects == Effects(requests_reopened=1, requests_ended=1)
    assert requests_of("P1")["maths"] == ("waiting", "3AC")
    assert count(TutoringRequest) == 3


def test_new_level_moves_open_requests_and_keeps_their_state() -> None:
    store(HIBA)
    store({**HIBA, "matieres": "Mathématiques"})
    with transaction():
        served = update(TutoringRequest).values(state=RequestState.SERVED)
        db.session.execute(served.where(TutoringRequest.state == RequestState.WAITING))
    report = store({**HIBA, "matieres": "Mathématiques", "niveau": "TC"})
    assert changes(report, 2) == {"niveau": ("3AC", "TC")}
    assert requests_of("P1") == {"maths": ("served", "TC"), "french": ("ended", "3AC")}
    assert pupil("P1").level.code == "TC"


def test_edited_family_changes_once_for_all_its_rows() -> None:
    store(HIBA, WALID)
    edited = {"joignable": "", "canaux": "appel", "langues": "tamazight", "zone": "Bir Mezoui"}
    report = store({**HIBA, **edited}, {**WALID, **edited})
    assert statuses(report) == ["changed", "changed"]
    assert report.effects == Effects(households_changed=1)
    assert changes(report, 3) == {
        "zone": ("Aïn Kaïcher", "Bir Mezoui"),
        "langues": (("darija", "ar"), ("tamazight",)),
        "canaux": (("call", "whatsapp"), ("call",)),
        "joignable": (((1, 1050, 1170), (6, 600, 840)), None),
    }
    home = pupil("P1").household
    assert home.times_to_agree
    assert home.windows == []
    assert [one.channel for one in home.channels] == ["call"]
    assert [one.language for one in home.languages] == ["tamazight"]
    assert home.zone.name == "Bir Mezoui"


def test_family_that_changes_names_the_siblings_who_are_not_in_the_list() -> None:
    store(HIBA, WALID)
    report = store({**HIBA, "joignable": "dim 10:00-12:00"})
    (family,) = report.families
    assert (family.phone, family.rows, family.siblings) == ("+212600000102", (2,), ("Walid Touil",))
    assert [change.column for change in family.changes] == ["joignable"]
    assert report.pupil_ids == [pupil("P1").id, pupil("P2").id]


def test_windows_that_touch_or_overlap_are_one() -> None:
    store({**HIBA, "joignable": "dimanche 10:00-12:00; dim 11:00-13:00; dim 13:00–14:00"})
    assert [w.as_window() for w in pupil("P1").household.windows] == [(6, 600, 840)]


def test_known_zone_is_found_under_another_spelling() -> None:
    store(HIBA)
    report = store({**SARA, "zone": "AIN  KAICHER"})
    assert report.new_zones == ()
    assert count(Zone) == 1


def test_number_of_the_list_moves_a_child_to_a_known_telephone() -> None:
    store(HIBA, WALID, SARA)
    report = store({**WALID, "telephone": SARA["telephone"], "tuteur_legal": "Anas Rami"})
    assert changes(report, 2) == {
        "telephone": ("+212600000102", "+212600000103"),
        "tuteur_legal": ("Salma Touil", "Anas Rami"),
        "consentement": (Statement(True, "Salma Touil"), Statement(True, "Anas Rami")),
        "consentement_groupe": (Statement(True, "Salma Touil"), Statement(True, "Anas Rami")),
    }
    assert report.effects == Effects(pupils_moved=1, consents_renewed=2)
    assert phones() == {"+212600000102": ["P1"], "+212600000103": ["P2", "P3"]}


def test_number_of_the_list_moves_a_child_to_a_new_telephone() -> None:
    store(HIBA, WALID)
    report = store({**WALID, "telephone": "0600000109"})
    assert report.effects == Effects(households_added=1, pupils_moved=1)
    assert phones() == {"+212600000102": ["P1"], "+212600000109": ["P2"]}


def test_family_whose_children_all_get_a_new_number_stays_one_family() -> None:
    store(HIBA, WALID)
    home = pupil("P1").household_id
    new = {"telephone": "0600000109"}
    report = store({**HIBA, **new}, {**WALID, **new})
    assert report.effects == Effects(households_changed=1)
    assert pupil("P1").household_id == pupil("P2").household_id == home
    assert phones() == {"+212600000109": ["P1", "P2"]}


def test_number_passed_on_to_another_family_goes_with_its_new_children() -> None:
    store(HIBA, SARA)
    report = store({**HIBA, "telephone": SARA["telephone"]}, {**SARA, "telephone": "0600000109"})
    assert report.effects.pupils_moved == 2
    assert report.effects.households_left_empty == 1
    assert phones() == {"+212600000102": [], "+212600000103": ["P1"], "+212600000109": ["P3"]}
    assert pupil("P1").household.guardian.name == "Salma Touil"
    assert pupil("P3").household.guardian.name == "Anas Rami"
    assert set(statuses(store({**SARA, "telephone": "0600000109"}))) == {"same"}


def test_families_can_swap_their_numbers() -> None:
    store(HIBA, SARA)
    report = store(
        {**HIBA, "telephone": SARA["telephone"]}, {**SARA, "telephone": HIBA["telephone"]}
    )
    assert report.effects.households_left_empty == 0
    assert phones() == {"+212600000102": ["P3"], "+212600000103": ["P1"]}
    assert pupil("P1").household.guardian.name == "Salma Touil"


def test_without_numbers_telephone_and_name_tell_who_a_child_is() -> None:
    hiba, walid = without(HIBA, "pupil"), without(WALID, "pupil")
    store(hiba, walid)
    before = contents()
    assert statuses(store({**hiba, "telephone": "+212 6 00 00 01 02"}, walid)) == ["same", "same"]
    assert contents() == before
    report = store({**hiba, "prenom": "HIBA"})
    assert changes(report, 2) == {"prenom": ("Hiba", "HIBA")}


def test_number_once_known_stays_when_a_list_has_none() -> None:
    store(HIBA)
    assert statuses(store(without(HIBA, "pupil"))) == ["same"]
    assert statuses(store({**HIBA, "pupil": ""})) == ["same"]
    assert pupil("P1").first_name == "Hiba"


def test_child_known_without_a_number_takes_the_one_that_a_list_gives() -> None:
    store(without(HIBA, "pupil"))
    report = store(HIBA)
    assert changes(report, 2) == {"pupil": (None, "P1")}
    assert count(Pupil) == 1


def test_namesakes_of_one_telephone_need_their_numbers() -> None:
    store(HIBA, {**HIBA, "pupil": "P9"})
    assert count(Pupil) == 2
    content = make_list({**HIBA, "pupil": ""}, SARA)
    report = apply_import(ListKind.PUPILS, content, None, leave_out_bad=True)
    assert problems(report) == [(2, "pupil", "", "several_children")]
    assert dict(report.rows[0].problems[0].values) == {"refs": "P1, P9"}


def test_two_rows_that_turn_out_to_be_one_known_child_are_bad() -> None:
    store(HIBA)
    renamed = {**HIBA, "prenom": "Houda"}
    content = make_list(renamed, {**HIBA, "pupil": ""})
    report = apply_import(ListKind.PUPILS, content, None, leave_out_bad=True)
    assert problems(report) == [(2, None, None, "same_person"), (3, None, None, "same_person")]


def test_row_of_a_known_child_is_bad_even_where_the_other_row_is_bad_already() -> None:
    store(HIBA)
    renamed = {**HIBA, "prenom": "Houda"}
    content = make_list(renamed, {**HIBA, "pupil": "", "niveau": "9"})
    report = apply_import(ListKind.PUPILS, content, None, leave_out_bad=True)
    assert problems(report) == [
        (2, None, None, "same_person"),
        (3, "niveau", "9", "not_a_level"),
        (3, None, None, "same_person"),
    ]
    assert pupil("P1").first_name == "Hiba"


def consents(ref: str, kind: ConsentKind = ConsentKind.LESSONS) -> list[tuple[bool, str]]:
    return [(c.given, c.guardian_name) for c in pupil(ref).consents if c.kind is kind]


def test_row_without_consent_is_stored_and_not_to_be_matched() -> None:
    report = store({**HIBA, "consentement": "", "consentement_groupe": "non"})
    assert report.effects == Effects(households_added=1, requests_added=2, consents_refused=1)
    assert requests_of("P1") == {"maths": ("waiting", "3AC"), "french": ("waiting", "3AC")}
    assert not in_force(pupil("P1"), ConsentKind.LESSONS)
    assert consents("P1") == []
    assert consents("P1", ConsentKind.GROUP_LESSONS) == [(False, "Salma Touil")]


@pytest.mark.parametrize("answer", ["", "non"])
def test_consent_is_withdrawn_and_given_again_and_every_statement_kept(answer: str) -> None:
    store(HIBA)
    report = store({**HIBA, "consentement": answer})
    assert report.effects == Effects(consents_withdrawn=1)
    assert statuses(report) == ["changed"]
    assert not in_force(pupil("P1"), ConsentKind.LESSONS)
    assert in_force(pupil("P1"), ConsentKind.GROUP_LESSONS)
    assert statuses(store({**HIBA, "consentement": answer})) == ["same"]
    store(HIBA)
    assert in_force(pupil("P1"), ConsentKind.LESSONS)
    assert consents("P1") == [(True, "Salma Touil"), (False, "Salma Touil"), (True, "Salma Touil")]


def test_another_guardian_consents_anew() -> None:
    store(HIBA, WALID)
    report = store({**HIBA, "tuteur_legal": "Reda Touil"})
    assert report.effects == Effects(households_changed=1, consents_renewed=2)
    assert consents("P1") == [(True, "Salma Touil"), (True, "Reda Touil")]
    assert consents("P2") == [(True, "Salma Touil")]


def test_list_without_the_column_of_group_consent_says_nothing_of_it() -> None:
    store(HIBA)
    assert statuses(store(without(HIBA, "consentement_groupe"))) == ["same"]
    store(without(SARA, "consentement_groupe"))
    assert consents("P3", ConsentKind.GROUP_LESSONS) == []
    assert count(Consent) == 3


def test_other_child_with_a_known_childs_number_is_bad() -> None:
    store(HIBA)
    report = plan_import(ListKind.PUPILS, make_list({**SARA, "pupil": "P1"}))
    assert problems(report) == [(2, "pupil", "P1", "other_person")]
    assert dict(report.rows[0].problems[0].values) == {"name": "Hiba Touil"}
    assert statuses(report) == ["bad"]
    assert statuses(store({**HIBA, "prenom": "Houda"})) == ["changed"]
    assert statuses(store({**HIBA, "prenom": "Houda", "telephone": "0655000222"})) == ["changed"]
    assert pupil("P1").name == "Houda Touil"
    assert count(Pupil) == 1
