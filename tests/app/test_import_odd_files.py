"""Odd and broken files as coordinators have them, and the exact report that each one gets.

Files are read and planned where the programme is known and nobody else.
"""

from __future__ import annotations

import io
import struct
import zipfile
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from app.models import ListKind
from app.services.imports import ImportReport
from app.services.imports.table import Source
from tests.support.lists import (
    HIBA,
    ILYAS,
    RANIA,
    SARA,
    WALID,
    changes,
    make_list,
    plan_on_nothing,
    problems,
    statuses,
    without,
)
from tests.support.spreadsheets import make_sheets, make_workbook, saved, table, with_part

PUPILS, VOLUNTEERS = ListKind
pytestmark = pytest.mark.usefixtures("listed_programme")
FRENCH = {
    "pupil": "Code Massar",
    "prenom": "Prénom",
    "nom": "Nom de famille",
    "zone": "Commune",
    "niveau": "Niveau scolaire",
    "matieres": "Matières",
    "tuteur_legal": "Tuteur légal",
    "telephone": "N° de téléphone",
    "langues": "Langues",
    "canaux": "Modes de cours",
    "joignable": "Disponibilités",
    "consentement": "Consentement",
    "consentement_groupe": "Consentement groupe",
}
ARABIC = {
    "pupil": "رمز مسار",
    "prenom": "الاسم",
    "nom": "النسب",
    "zone": "الجماعة",
    "niveau": "المستوى الدراسي",
    "matieres": "المواد",
    "tuteur_legal": "ولي الأمر",
    "telephone": "رقم الهاتف",
    "langues": "اللغات",
    "canaux": "القنوات",
    "joignable": "الأوقات",
    "consentement": "الموافقة",
    "consentement_groupe": "الموافقة على المجموعة",
}
HIBA_IN_ARABIC = {
    "pupil": "P1",
    "prenom": "هبة",
    "nom": "الطويل",
    "zone": "عين القيشر",
    "niveau": "الثالثة إعدادي",
    "matieres": "الرياضيات والفرنسية",
    "tuteur_legal": "سلمى الطويل",
    "telephone": "٠٦٠٠٠٠٠١٠٢",
    "langues": "الدارجة، العربية",
    "canaux": "مكالمة وواتساب",
    "joignable": "الثلاثاء من ١٧:٣٠ إلى ١٩:٣٠",
    "consentement": "نعم",
    "consentement_groupe": "لا",
}


ASCII_DIGITS = {"telephone": "0600000102", "joignable": "الثلاثاء 17:30-19:30"}


def named(row: dict[str, Any], headings: dict[str, str]) -> dict[str, Any]:
    """The row under other headings."""
    return {headings[key]: cell for key, cell in row.items()}


def after(report: ImportReport, row: int = 2) -> dict[str, Any]:
    """Column to what would be stored of a new person."""
    return {column: value for column, (_before, value) in changes(report, row).items()}


@cache
def hiba_stored() -> dict[str, Any]:
    return after(plan_on_nothing(PUPILS, make_list(HIBA)))


def sheet_of(*rows: dict[str, Any], headings: dict[str, str] | None = None) -> bytes:
    return make_workbook(*table(*rows, headings=headings))


# Files that come in as they are meant, beside the way they were understood.


def merged_title(sheet: Worksheet) -> None:
    sheet.insert_rows(1, 3)
    sheet["A1"] = "Liste des élèves: commune, niveau"
    sheet.merge_cells("A1:F2")


def numbers_as_excel_keeps_them(sheet: Worksheet) -> None:
    sheet["H2"] = 600000102
    sheet["H2"].number_format = "00 00 00 00 00"
    sheet["A2"] = 1
    sheet["A2"].number_format = '"P"0'


def formulas_with_values(content: bytes) -> bytes:
    """Excel saves the result of a formula beside it; an empty one as an empty text."""
    made = make_workbook(
        *table(HIBA), touch=lambda sheet: sheet.__setitem__("C2", '=CONCATENATE("Tou","il")')
    )
    shown = b'<c r="C2" t="str"><f>CONCATENATE("Tou","il")</f><v>Touil</v></c>'
    return with_part(
        made,
        "xl/worksheets/sheet1.xml",
        lambda xml: (
            xml[: xml.index(b'<c r="C2"')]
            + shown
            + xml[xml.index(b"</c>", xml.index(b'<c r="C2"')) + 4 :]
        ),
    )


def trailing_formats(sheet: Worksheet) -> None:
    for row in range(1, 60):
        sheet.cell(row, 40).number_format = "@"
    sheet.cell(300, 2).number_format = "@"


RIGHT: dict[str, tuple[bytes, Source]] = {
    "csv in UTF-8 with a byte order mark": (
        make_list(HIBA, delimiter=";", encoding="utf-8-sig"),
        Source("UTF-8"),
    ),
    "csv that a French Excel saved": (
        make_list(named(HIBA, FRENCH), delimiter=";", encoding="cp1252"),
        Source("Windows-1252"),
    ),
    "csv (Macintosh) with accents": (
        make_list(named(HIBA, FRENCH), delimiter=";", encoding="mac_roman"),
        Source("Macintosh"),
    ),
    "csv (MS-DOS) with accents": (
        make_list(named(HIBA, FRENCH), delimiter=";", encoding="cp850"),
        Source("DOS 850"),
    ),
    "Unicode text, as Excel calls UTF-16 with tabs": (
        make_list(named(HIBA, FRENCH), delimiter="\t", encoding="utf-16"),
        Source("UTF-16"),
    ),
    "UTF-16 of the other byte order": (
        b"\xfe\xff" + make_list(HIBA, delimiter="\t", encoding="utf-16-be"),
        Source("UTF-16"),
    ),
    "UTF-16 whose byte order mark got lost": (
        make_list(HIBA, delimiter="\t", encoding="utf-16-le"),
        Source("UTF-16"),
    ),
    "csv whose first line names the separator": (
        b"sep=;\r\n" + make_list(HIBA, delimiter=";"),
        Source("UTF-8"),
    ),
    "csv with every cell in quotation marks and line ends of a Mac": (
        make_list(HIBA).replace(b"\r\n", b"\r"),
        Source("UTF-8"),
    ),
    "workbook of text cells": (sheet_of(HIBA), Source(sheet="Feuil1")),
    "workbook with headings in French and English": (
        sheet_of(HIBA, headings={**FRENCH, "nom": "Last name", "niveau": "Level"}),
        Source(sheet="Feuil1"),
    ),
    "workbook with headings in two languages at once": (
        sheet_of(HIBA, headings={key: f"{FRENCH[key]}\n{ARABIC[key]}" for key in FRENCH}),
        Source(sheet="Feuil1"),
    ),
    "workbook with numbers where text is meant": (
        make_workbook(*table(HIBA), touch=numbers_as_excel_keeps_them),
        Source(sheet="Feuil1"),
    ),
    "workbook with yes and no as TRUE and FALSE": (
        sheet_of({**HIBA, "consentement": True, "consentement_groupe": True}),
        Source(sheet="Feuil1"),
    ),
    "workbook with formulas and their values": (formulas_with_values(b""), Source(sheet="Feuil1")),
    "workbook with formats far beyond the list": (
        make_workbook(*table(HIBA), touch=trailing_formats),
        Source(sheet="Feuil1"),
    ),
    "workbook whose first sheet is empty": (
        make_sheets({"Feuil1": [], "Élèves": table(HIBA)}),
        Source(sheet="Élèves"),
    ),
    "workbook with notes before the list": (
        make_sheets({"Lisez-moi": [["Ne pas modifier"]], "Élèves": table(HIBA)}),
        Source(sheet="Élèves", sheets_left_out=("Lisez-moi",)),
    ),
    "workbook with another list in a hidden sheet": (
        make_sheets({"Ancien": table(SARA), "Élèves": table(HIBA)}, hidden=["Ancien"]),
        Source(sheet="Élèves"),
    ),
    "workbook with line ends in its cells": (
        sheet_of(
            {**HIBA, "matieres": "Mathématiques\nFrançais", "canaux": "appel_x000D_\nwhatsapp"}
        ),
        Source(sheet="Feuil1"),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_file_comes_in_as_it_is_meant(name: str) -> None:
    content, source = RIGHT[name]
    report = plan_on_nothing(PUPILS, content)
    assert problems(report) == []
    assert statuses(report) == ["new"]
    assert after(report) == hiba_stored()
    assert report.source == source


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (make_list(named(HIBA_IN_ARABIC, ARABIC), encoding="utf-8"), "UTF-8"),
        (make_list(named(HIBA_IN_ARABIC, ARABIC), delimiter="\t", encoding="utf-16"), "UTF-16"),
        (make_list(named(HIBA_IN_ARABIC, ARABIC), delimiter="\t", encoding="utf-16-le"), "UTF-16"),
        (
            make_list(
                named(
                    {
                        **HIBA_IN_ARABIC,
                        "telephone": "0600000102",
                        "joignable": "الثلاثاء 17:30-19:30",
                    },
                    ARABIC,
                ),
                delimiter=";",
                encoding="cp1256",
            ),
            "Windows-1256",
        ),
        (sheet_of(HIBA_IN_ARABIC, headings=ARABIC), None),
    ],
)
def test_arabic_list_comes_in_as_it_is_meant(content: bytes, encoding: str | None) -> None:
    report = plan_on_nothing(PUPILS, content)
    assert problems(report) == []
    assert report.source.encoding == encoding
    stored = after(report)
    assert (stored["prenom"], stored["nom"], stored["zone"]) == ("هبة", "الطويل", "عين القيشر")
    assert stored["telephone"] == "+212600000102"
    assert stored["matieres"] == ("maths", "french")
    assert stored["canaux"] == ("call", "whatsapp")
    assert stored["joignable"] == ((1, 1050, 1170),)
    assert (stored["consentement"].given, stored["consentement_groupe"].given) == (True, False)


def test_french_accents_among_arabic_letters_stay_in_windows_1256() -> None:
    row = {**HIBA_IN_ARABIC, "telephone": "0600000102", "joignable": "", "nom": "Benaïssa"}
    report = plan_on_nothing(PUPILS, make_list(row, encoding="cp1256"))
    assert (report.source.encoding, after(report)["nom"]) == ("Windows-1256", "Benaïssa")


def test_titles_and_empty_rows_stand_above_and_rows_keep_their_numbers() -> None:
    bad = {**SARA, "niveau": "9"}
    content = make_workbook(*table(HIBA, bad), touch=merged_title)
    report = plan_on_nothing(PUPILS, content)
    assert [row.number for row in report.rows] == [5, 6]
    assert problems(report) == [(6, "niveau", "9", "not_a_level")]

    lines = make_list(HIBA, bad, delimiter=";").decode().splitlines()
    text = "\r\n".join(["Liste des élèves, 2026;;;", "", "Commune;Niveau;;", *lines, ";;;"])
    report = plan_on_nothing(PUPILS, text.encode())
    assert [row.number for row in report.rows] == [5, 6]


def test_headings_that_come_again_down_the_list_are_no_rows() -> None:
    rows = table(HIBA, SARA)
    report = plan_on_nothing(PUPILS, make_workbook(rows[0], rows[1], rows[0], rows[2]))
    assert [(row.number, row.status.value) for row in report.rows] == [(2, "new"), (4, "new")]


def test_numbering_of_rows_is_no_number_of_a_child() -> None:
    row = {"N°": 1, **without(HIBA, "pupil")}
    report = plan_on_nothing(PUPILS, sheet_of(row))
    assert report.ignored_columns == ("N°",)
    assert report.rows[0].ref == ""


WITHOUT_TIMES = without(HIBA, "joignable")


@pytest.mark.parametrize(
    ("cells", "windows"),
    [
        ({"Jour": "mardi", "Début": time(17, 30), "Fin": time(19, 30)}, ((1, 1050, 1170),)),
        ({"Jour": "mardi", "Début": 17.5 / 24, "Fin": 19.5 / 24}, ((1, 1050, 1170),)),
        ({"Jour": "mar", "Début": "17h30", "Fin": 20}, ((1, 1050, 1200),)),
        ({"Day": "Tue", "Start": "17:30", "End": timedelta(days=1)}, ((1, 1050, 1440),)),
        (
            {
                "Jour 1": "mardi",
                "Début 1": time(17, 30),
                "Fin 1": time(19, 30),
                "Jour 2": "dimanche",
                "Début 2": time(10),
                "Fin 2": time(14),
                "Jour 3": None,
                "Début 3": None,
                "Fin 3": None,
            },
            ((1, 1050, 1170), (6, 600, 840)),
        ),
        ({"Mardi": "17h30-19h30", "Dimanche": "10h-14h"}, ((1, 1050, 1170), (6, 600, 840))),
        ({"الثلاثاء": "17:30 - 19:30", "الأحد": "-"}, ((1, 1050, 1170),)),
        ({"Tuesday": None, "Sunday": ""}, None),
    ],
)
def test_weekly_times_in_columns_of_their_own(cells: dict[str, Any], windows: Any) -> None:
    report = plan_on_nothing(PUPILS, sheet_of({**WITHOUT_TIMES, **cells}))
    assert problems(report) == []
    assert after(report)["joignable"] == windows
    assert report.ignored_columns == ()


def test_levels_of_a_volunteer_may_stand_in_a_column_of_their_own() -> None:
    row = {**RANIA, "enseigne": "Maths, SVT", "niveaux": "1AC à 2AC"}
    report = plan_on_nothing(VOLUNTEERS, sheet_of(row))
    assert after(report)["enseigne"] == tuple(
        (subject, level) for subject in ("maths", "svt") for level in ("1AC", "2AC")
    )
    bad = plan_on_nothing(VOLUNTEERS, sheet_of({**row, "niveaux": "1AC-9AC"}))
    assert problems(bad) == [(2, "niveaux", "1AC-9AC", "not_among")]


def test_what_a_list_may_say_beside_the_rest() -> None:
    family = {"email": "touil@example.org", "langue_messages": "Français"}
    stored = after(plan_on_nothing(PUPILS, sheet_of({**HIBA, **family})))
    assert (stored["email"], stored["langue_messages"]) == ("touil@example.org", "fr")
    volunteer = {"Fuseau horaire": "Europe/Paris", "Langue des messages": "العربية"}
    stored = after(plan_on_nothing(VOLUNTEERS, sheet_of({**RANIA, **volunteer})))
    assert (stored["fuseau_horaire"], stored["langue_messages"]) == ("Europe/Paris", "ar")


def test_it_is_enough_to_say_an_address_in_one_row_of_a_family() -> None:
    rows = ({**HIBA, "email": ""}, {**WALID, "email": "touil@example.org"})
    report = plan_on_nothing(PUPILS, make_list(*rows))
    assert {after(report, row)["email"] for row in (2, 3)} == {"touil@example.org"}
    other = {**HIBA, "email": "other@example.org"}
    report = plan_on_nothing(PUPILS, make_list(other, rows[1]))
    assert problems(report) == [
        (2, None, None, "family_stays_out"),
        (3, "email", "touil@example.org", "siblings_differ"),
    ]


@pytest.mark.parametrize(
    ("languages", "expected"),
    [("darija", "ar"), ("français", "fr"), ("darija; français", "fr"), ("arabe; français", "ar")],
)
def test_new_family_gets_messages_in_a_language_it_speaks(languages: str, expected: str) -> None:
    report = plan_on_nothing(PUPILS, make_list({**HIBA, "langues": languages}))
    assert after(report)["langue_messages"] == expected


# Files that can't be read as a list at all.


def bomb() -> bytes:
    """A workbook of a few kilobytes that unpacks to 100 MB."""
    return with_part(
        sheet_of(HIBA), "xl/worksheets/sheet1.xml", lambda xml: xml + b" " * 100 * 1024 * 1024
    )


def entity_bomb(xml: bytes) -> bytes:
    entities = b'<!ENTITY a "lol">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + step, b"&%c;" % (97 + step) * 20) for step in range(12)
    )
    return b"<!DOCTYPE worksheet [" + entities + b"]>" + xml.replace(b"Hiba", b"&m;", 1)


def password_protected() -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000)


def zip_of(**parts: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return content.getvalue()


def lying_size() -> bytes:
    """A part that says it is small: no more than it says is unpacked."""
    content = bytearray(bomb())
    place = content.rindex(b"xl/worksheets/sheet1.xml") - 46
    struct.pack_into("<I", content, place + 24, 1_000)
    return bytes(content)


UNREADABLE: dict[str, tuple[bytes, list[str]]] = {
    "empty workbook": (saved(Workbook()), ["empty_file"]),
    "workbook of headings alone": (make_workbook(list(HIBA)), ["no_rows"]),
    "old workbook or one with a password": (password_protected(), ["old_workbook"]),
    "LibreOffice's own format": (zip_of(mimetype=b"x", content=b"<x/>"), ["not_a_workbook"]),
    "workbook cut off on the way": (sheet_of(HIBA)[:-800], ["not_a_workbook"]),
    "workbook with a broken sheet": (
        with_part(sheet_of(HIBA), "xl/worksheets/sheet1.xml", lambda xml: xml[:400]),
        ["not_a_workbook"],
    ),
    "workbook that unpacks to far more": (bomb(), ["workbook_too_large"]),
    "workbook that lies about its size": (lying_size(), ["not_a_workbook"]),
    "workbook whose texts grow without end": (
        with_part(sheet_of(HIBA), "xl/worksheets/sheet1.xml", entity_bomb),
        ["not_a_workbook"],
    ),
    "workbook with a row beyond the last": (
        with_part(
            sheet_of(HIBA),
            "xl/worksheets/sheet1.xml",
            lambda xml: xml.replace(b'<row r="2"', b'<row r="99999999"').replace(
                b'2" t=', b'99999999" t='
            ),
        ),
        ["not_a_workbook"],
    ),
    "workbook of too many columns": (
        make_workbook([*HIBA, *map(str, range(300))], [*HIBA.values()]),
        ["too_many_columns"],
    ),
    "csv of too many columns": (make_list(HIBA) + b"," * 300 + b"x\n", ["too_many_columns"]),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, ["not_text"]),
    "csv that mixes two character sets": (
        make_list(HIBA) + make_list(SARA, encoding="cp1252").split(b"\r\n", 1)[1],
        ["not_decoded_word"],
    ),
    "UTF-16 cut in the middle of a letter": (
        make_list(HIBA, encoding="utf-16")[:-1],
        ["not_decoded"],
    ),
    "headings once read in a wrong character set": (
        make_list({FRENCH["prenom"].encode().decode("cp1252"): "x", **HIBA}),
        ["garbled_heading"],
    ),
    "the other list": (make_list(RANIA), ["other_list"]),
    "telephones in two columns": (
        make_list({**HIBA, "GSM": "0600000103"}),
        ["doubled_column"],
    ),
    "first and last name in one column": (
        make_list({"Nom et prénom": "Touil Hiba", **without(HIBA, "prenom", "nom")}),
        ["missing_column", "missing_column"],
    ),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_file_that_can_not_be_read_says_why(name: str) -> None:
    content, codes = UNREADABLE[name]
    report = plan_on_nothing(PUPILS, content)
    assert [problem.code.value for problem in report.problems] == codes
    assert report.rows == ()


def test_word_that_does_not_fit_a_character_set_is_quoted_with_its_line() -> None:
    content = make_list(HIBA) + make_list(SARA, encoding="cp1252").split(b"\r\n", 1)[1]
    (problem,) = plan_on_nothing(PUPILS, content).problems
    assert dict(problem.values)["row"] == 2


def test_too_many_rows_in_a_workbook_are_refused() -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(["Prénom", "Nom"])
    for _row in range(20_001):
        sheet.append(["x"])
    report = plan_on_nothing(PUPILS, saved(book))
    assert [problem.code.value for problem in report.problems] == ["too_many_rows"]


# Cells that a spreadsheet made something else of.


def formula_without_value(sheet: Worksheet) -> None:
    sheet["H3"] = "=H2"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"niveau": date(2026, 3, 1)}, ("niveau", "2026-03-01", "date_cell")),
        ({"joignable": datetime(2026, 10, 8)}, ("joignable", "2026-10-08", "date_cell")),
        ({"joignable": time(18)}, ("joignable", "18:00", "not_a_window")),
        ({"prenom": True}, ("prenom", "TRUE", "boolean_cell")),
        ({"zone": "#N/A"}, ("zone", "#N/A", "error_cell")),
        ({"nom": "#NOM?"}, ("nom", "#NOM?", "error_cell")),
        ({"telephone": 6.0e8}, ("telephone", "600000000", "same")),
        ({"telephone": "6,00E+08"}, ("telephone", "6,00E+08", "lost_digits")),
        ({"telephone": 61234567}, ("telephone", "61234567", "not_a_phone")),
        ({"telephone": -600000103}, ("telephone", "-600000103", "not_a_phone")),
        ({"prenom": "HoussaÃ¯n"}, ("prenom", "HoussaÃ¯n", "garbled")),
        ({"prenom": "Ø³Ø§Ø±Ø©"}, ("prenom", "Ø³Ø§Ø±Ø©", "garbled")),
        ({"prenom": "ط³ط§ط±ط©"}, ("prenom", "ط³ط§ط±ط©", "garbled")),
        ({"prenom": "Houssa\ufffdn"}, ("prenom", "Houssa\ufffdn", "garbled")),
        ({"prenom": "Houssa?n"}, ("prenom", "Houssa?n", "lost_letters")),
        ({"nom": "????"}, ("nom", "????", "lost_letters")),
        ({"nom": 12}, ("nom", "12", "no_letters")),
        ({"tuteur_legal": "Anas\nRami"}, ("tuteur_legal", "Anas\nRami", "control_character")),
        ({"tuteur_legal": None}, ("tuteur_legal", "", "empty_cell")),
        ({"niveau": 3}, ("niveau", "3", "not_a_level")),
        ({"niveau": "1AC-3AC"}, ("niveau", "1AC-3AC", "not_a_level")),
        ({"consentement": "x"}, ("consentement", "x", "not_yes_or_no")),
    ],
)
def test_cell_that_a_spreadsheet_changed_says_so(
    cells: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    report = plan_on_nothing(PUPILS, sheet_of(HIBA, {**SARA, **cells}))
    if expected[2] == "same":
        assert after(report, 3)["telephone"] == "+212600000000"
    else:
        assert statuses(report) == ["new", "bad"]
        assert problems(report) == [(3, *expected)]


def test_formula_whose_value_was_not_saved_says_so() -> None:
    content = make_workbook(*table(HIBA, SARA), touch=formula_without_value)
    report = plan_on_nothing(PUPILS, content)
    assert statuses(report) == ["new", "bad"]
    assert problems(report) == [(3, "telephone", "=H2", "formula_without_value")]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"seances_par_semaine": 4.0}, None),
        ({"seances_par_semaine": 2.5}, ("seances_par_semaine", "2.5", "not_lessons_a_week")),
        (
            {"seances_par_semaine": date(2026, 4, 2)},
            ("seances_par_semaine", "2026-04-02", "date_cell"),
        ),
        ({"telephone": 33612345678}, None),
        ({"fuseau_horaire": "Paris"}, ("fuseau_horaire", "Paris", "not_a_time_zone")),
        (
            {"langue_messages": "darija"},
            ("langue_messages", "darija", "not_a_message_language"),
        ),
        ({"enseigne": "SVT; Maths: TC"}, ("enseigne", "SVT; Maths: TC", "not_teaching")),
        ({"disponible": "lun 6-8"}, ("disponible", "lun 6-8", "half_day_unclear")),
    ],
)
def test_cell_of_a_volunteer_that_a_spreadsheet_changed_says_so(
    cells: dict[str, Any], expected: tuple[str, str, str] | None
) -> None:
    report = plan_on_nothing(VOLUNTEERS, sheet_of(ILYAS | cells))
    assert problems(report) == ([] if expected is None else [(2, *expected)])


def test_bad_times_in_columns_of_their_own_name_those_columns() -> None:
    cells = {"Jour": "mardi", "Début": time(19, 30), "Fin": time(17, 30), "Samedi": "matin"}
    report = plan_on_nothing(PUPILS, sheet_of({**WITHOUT_TIMES, **cells}))
    assert problems(report) == [
        (2, "Samedi", "matin", "not_a_window"),
        (2, "Jour, Début, Fin", "mardi 19:30 17:30", "window_backwards"),
    ]
