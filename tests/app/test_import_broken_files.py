"""Files that are not right, and the exact report that each one gets."""

from __future__ import annotations

from typing import Any

import pytest
from flask_babel import force_locale

from app.models import ListKind
from tests.support.lists import (
    HIBA,
    ILYAS,
    RANIA,
    SARA,
    WALID,
    make_list,
    plan_on_nothing,
    problems,
    statuses,
    without,
)

HEADINGS = ",".join(HIBA)

pytestmark = pytest.mark.usefixtures("listed_programme")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", [(None, None, None, "empty_file")]),
        (b"\xef\xbb\xbf\r\n\r\n", [(None, None, None, "empty_file")]),
        (b" , ,\n\n,\n", [(None, None, None, "empty_file")]),
        (f"{HEADINGS}\n,,,\n".encode(), [(None, None, None, "no_rows")]),
        (b"PK\x03\x04" + bytes(40), [(None, None, None, "not_a_workbook")]),
        (b"\xd0\xcf\x11\xe0" + bytes(40), [(None, None, None, "old_workbook")]),
        (make_list(HIBA) + b"\0", [(None, None, None, "not_text")]),
        (make_list(HIBA) + b'P2,"Walid\n', [(3, None, None, "broken_quotes")]),
        (make_list(HIBA) + b'P2,"Wa"lid,x\n', [(3, None, None, "broken_quotes")]),
        (make_list(HIBA) + b"P2," + b"a" * 200_000, [(3, None, None, "broken_quotes")]),
        (HEADINGS.encode() + b"\nP1" * 20_001, [(None, None, None, "too_many_rows")]),
        (make_list(without(HIBA, "telephone")), [(None, None, None, "missing_column")]),
        (
            make_list(without(HIBA, "nom", "zone", "consentement")),
            [(None, None, None, "missing_column")] * 3,
        ),
        (make_list({**HIBA, "Prénom": "x"}), [(None, None, None, "doubled_column")]),
        (b"hello\nworld\n", [(None, None, None, "missing_column")] * 11),
    ],
    ids=lambda value: value[0][3] if isinstance(value, list) else "",
)
def test_file_that_is_no_list_says_why(content: bytes, expected: list[Any]) -> None:
    report = plan_on_nothing(ListKind.PUPILS, content)
    assert problems(report) == expected
    assert not report.readable
    assert report.rows == ()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"prenom": ""}, [("prenom", "", "empty_cell")]),
        ({"nom": "---"}, [("nom", "---", "no_letters")]),
        ({"prenom": "a" * 81}, [("prenom", "a" * 81, "too_long")]),
        ({"prenom": "Hi\nba"}, [("prenom", "Hi\nba", "control_character")]),
        ({"nom": "Tou\u202eil"}, [("nom", "Tou\u202eil", "control_character")]),
        ({"pupil": "9" * 41}, [("pupil", "9" * 41, "too_long")]),
        ({"zone": ""}, [("zone", "", "empty_cell")]),
        ({"zone": "ﷺ" * 10}, [("zone", "ﷺ" * 10, "too_long")]),
        ({"niveau": "4AC"}, [("niveau", "4AC", "not_a_level")]),
        ({"niveau": ""}, [("niveau", "", "empty_cell")]),
        ({"matieres": "Math; Chant"}, [("matieres", "Math; Chant", "not_among")]),
        ({"matieres": "Maths, Chant"}, [("matieres", "Maths, Chant", "not_among")]),
        ({"matieres": " ; "}, [("matieres", ";", "empty_cell")]),
        ({"tuteur_legal": "?"}, [("tuteur_legal", "?", "no_letters")]),
        ({"telephone": ""}, [("telephone", "", "empty_cell")]),
        ({"telephone": "060000010"}, [("telephone", "060000010", "not_a_phone")]),
        ({"telephone": "demander"}, [("telephone", "demander", "not_a_phone")]),
        (
            {"telephone": "0600000102 / 0600000103"},
            [("telephone", "0600000102 / 0600000103", "not_a_phone")],
        ),
        ({"telephone": "+999 12345678"}, [("telephone", "+999 12345678", "not_a_phone")]),
        ({"langues": "chinois"}, [("langues", "chinois", "not_among")]),
        ({"canaux": "whatsapp_one"}, [("canaux", "whatsapp_one", "not_among")]),
        ({"joignable": "lun"}, [("joignable", "lun", "not_a_window")]),
        ({"joignable": "lun 6-8"}, [("joignable", "lun 6-8", "half_day_unclear")]),
        ({"joignable": "xyz 18:00-20:00"}, [("joignable", "xyz 18:00-20:00", "not_a_window")]),
        ({"joignable": "lun 18:60-20:00"}, [("joignable", "lun 18:60-20:00", "not_a_window")]),
        ({"joignable": "lun 18:00-24:30"}, [("joignable", "lun 18:00-24:30", "not_a_window")]),
        ({"joignable": "lun 20:00-18:00"}, [("joignable", "lun 20:00-18:00", "window_backwards")]),
        ({"joignable": "lun 18:00-18:00"}, [("joignable", "lun 18:00-18:00", "window_backwards")]),
        ({"consentement": "peut-être"}, [("consentement", "peut-être", "not_yes_or_no")]),
        (
            {"niveau": "x", "telephone": "1", "joignable": "2", "consentement_groupe": "3"},
            [
                ("niveau", "x", "not_a_level"),
                ("telephone", "1", "not_a_phone"),
                ("joignable", "2", "not_a_window"),
                ("consentement_groupe", "3", "not_yes_or_no"),
            ],
        ),
    ],
)
def test_bad_cell_of_a_pupil_says_row_column_and_what_was_read(
    cells: dict[str, str], expected: list[tuple[str, str, str]]
) -> None:
    report = plan_on_nothing(ListKind.PUPILS, make_list(SARA, {**HIBA, **cells}))
    assert statuses(report) == ["new", "bad"]
    assert problems(report) == [(3, *problem) for problem in expected]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"email": "rania"}, [("email", "rania", "not_an_email")]),
        ({"email": "rania@example"}, [("email", "rania@example", "not_an_email")]),
        ({"email": "", "telephone": ""}, [("email", "", "unreachable")]),
        ({"telephone": "12"}, [("telephone", "12", "not_a_phone")]),
        ({"enseigne": ""}, [("enseigne", "", "empty_cell")]),
        ({"enseigne": "SVT"}, [("enseigne", "SVT", "not_teaching")]),
        ({"enseigne": "SVT: 9AC"}, [("enseigne", "SVT: 9AC", "not_teaching")]),
        ({"enseigne": "Chant: TC"}, [("enseigne", "Chant: TC", "not_teaching")]),
        ({"enseigne": "SVT: 1AC-2AC-3AC"}, [("enseigne", "SVT: 1AC-2AC-3AC", "not_teaching")]),
        ({"enseigne": "SVT: 2BAC-TC"}, [("enseigne", "SVT: 2BAC-TC", "range_backwards")]),
        ({"seances_par_semaine": ""}, [("seances_par_semaine", "", "empty_cell")]),
        ({"seances_par_semaine": "41"}, [("seances_par_semaine", "41", "not_lessons_a_week")]),
        ({"seances_par_semaine": "-1"}, [("seances_par_semaine", "-1", "not_lessons_a_week")]),
        ({"seances_par_semaine": "2,5"}, [("seances_par_semaine", "2,5", "not_lessons_a_week")]),
    ],
)
def test_bad_cell_of_a_volunteer_says_row_column_and_what_was_read(
    cells: dict[str, str], expected: list[tuple[str, str, str]]
) -> None:
    report = plan_on_nothing(ListKind.VOLUNTEERS, make_list(ILYAS, {**RANIA, **cells}))
    assert statuses(report) == ["new", "bad"]
    assert problems(report) == [(3, *problem) for problem in expected]


def test_row_of_too_many_cells_is_bad_unless_they_are_empty() -> None:
    lines = make_list(HIBA, WALID, SARA).decode().splitlines()
    lines[1] += ",,"
    lines[2] += ",oui"
    report = plan_on_nothing(ListKind.PUPILS, "\n".join(lines).encode())
    assert statuses(report) == ["new", "bad", "new"]
    assert problems(report) == [(3, None, None, "too_many_cells")]


def test_row_that_ends_early_has_empty_cells_at_its_end() -> None:
    lines = make_list(HIBA).decode().splitlines()
    cut = lines[1].removesuffix(",oui,oui")
    report = plan_on_nothing(ListKind.PUPILS, f"{lines[0]}\n{cut}\n".encode())
    assert statuses(report) == ["new"]
    assert report.effects.consents_given == 0


def test_rows_are_numbered_as_a_spreadsheet_numbers_them() -> None:
    lines = make_list(HIBA, {**SARA, "niveau": "9"}).decode().splitlines()
    text = "\r\n".join(["", lines[0], "", lines[1], ",,,", lines[2]])
    report = plan_on_nothing(ListKind.PUPILS, text.encode())
    assert [row.number for row in report.rows] == [4, 6]
    assert problems(report) == [(6, "niveau", "9", "not_a_level")]


def test_unknown_columns_are_named_as_left_out() -> None:
    content = make_list({**HIBA, "remarque": "timide", "": "x", " note ": ""})
    report = plan_on_nothing(ListKind.PUPILS, content)
    assert report.ignored_columns == ("remarque", "O", "note")
    assert statuses(report) == ["new"]


def test_siblings_that_disagree_name_row_and_value_and_stay_out_together() -> None:
    windows = "lun 18:00-20:00"
    third = {**HIBA, "pupil": "P4", "prenom": "Adam"}
    content = make_list(
        HIBA, SARA, third, {**WALID, "tuteur_legal": "Reda Touil", "joignable": windows}
    )
    report = plan_on_nothing(ListKind.PUPILS, content)
    assert statuses(report) == ["bad", "new", "bad", "bad"]
    assert problems(report) == [
        (2, None, None, "family_stays_out"),
        (4, None, None, "family_stays_out"),
        (5, "tuteur_legal", "Reda Touil", "siblings_differ"),
        (5, "joignable", windows, "siblings_differ"),
    ]
    assert dict(report.rows[3].problems[0].values) == {"other": 2, "differing": "Salma Touil"}


def test_siblings_may_differ_in_accents_and_order() -> None:
    walid = {**WALID, "zone": "ain kaicher", "tuteur_legal": "salma  TOUIL"}
    report = plan_on_nothing(ListKind.PUPILS, make_list(HIBA, {**walid, "langues": "arabe;darija"}))
    assert statuses(report) == ["new", "new"]
    assert report.new_zones == ("Aïn Kaïcher",)


def test_sibling_with_an_unreadable_cell_keeps_nobody_else_out() -> None:
    report = plan_on_nothing(ListKind.PUPILS, make_list(HIBA, {**WALID, "joignable": "soir"}))
    assert statuses(report) == ["new", "bad"]


@pytest.mark.parametrize(
    ("kind", "first", "second", "expected"),
    [
        (ListKind.PUPILS, HIBA, {**SARA, "pupil": "P1"}, ("pupil", "P1", "same_id")),
        (
            ListKind.PUPILS,
            {**HIBA, "pupil": ""},
            {**HIBA, "pupil": "", "prenom": "HIBA"},
            (None, None, "same_child"),
        ),
        (
            ListKind.VOLUNTEERS,
            RANIA,
            {**ILYAS, "benevole": "V1"},
            ("benevole", "V1", "same_id"),
        ),
        (
            ListKind.VOLUNTEERS,
            RANIA,
            {**ILYAS, "email": "Rania@Example.org"},
            ("email", None, "same_email"),
        ),
        (
            ListKind.VOLUNTEERS,
            RANIA,
            {**ILYAS, "telephone": "+212 600-000201"},
            ("telephone", None, "same_phone"),
        ),
    ],
)
def test_two_rows_of_one_person_name_each_other(
    kind: ListKind, first: dict[str, str], second: dict[str, str], expected: tuple[Any, ...]
) -> None:
    report = plan_on_nothing(kind, make_list(first, second))
    column, read, code = expected
    found = [problem for row in report.rows for problem in row.problems]
    assert [(p.row, p.column, p.code.value) for p in found] == [
        (2, column, code),
        (3, column, code),
    ]
    assert [dict(p.values)["other"] for p in found] == [3, 2]
    if read is not None:
        assert {p.read for p in found} == {read}


def test_a_problem_reads_in_the_readers_language() -> None:
    report = plan_on_nothing(ListKind.PUPILS, make_list({**HIBA, "canaux": "fax"}))
    (problem,) = report.rows[0].problems
    with force_locale("en"):
        assert str(problem) == (
            "Row 2, column “canaux”, read “fax”: “fax” is not known. Expected: one or more of "
            "call, WhatsApp, video, in person, with a semicolon between two of them."
        )
    with force_locale("fr"):
        assert str(problem).startswith("Ligne 2, colonne")
        assert "appel, WhatsApp, visio, présentiel" in str(problem)
    with force_locale("ar"):
        assert "مكالمة, واتساب" in str(problem)


def test_missing_column_names_the_headings_that_are_there() -> None:
    report = plan_on_nothing(ListKind.PUPILS, make_list(without(HIBA, "zone")))
    with force_locale("en"):
        assert str(report.problems[0]) == (
            "The column “zone” is missing. The headings in the file are: "
            + ", ".join(without(HIBA, "zone"))
            + "."
        )
