"""What can be wrong in a list: one code each, told in the reader's language when it is shown."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from flask_babel.speaklater import LazyString

from app.i18n import _, _l, page_locale
from app.services import programme

LONGEST_QUOTE = 80


class Code(StrEnum):
    """Every kind of problem; the texts stand in TEXTS."""

    EMPTY_FILE = "empty_file"
    NOT_DECODED = "not_decoded"
    NOT_DECODED_WORD = "not_decoded_word"
    NOT_TEXT = "not_text"
    OLD_WORKBOOK = "old_workbook"
    NOT_A_WORKBOOK = "not_a_workbook"
    WORKBOOK_TOO_LARGE = "workbook_too_large"
    TOO_MANY_COLUMNS = "too_many_columns"
    BROKEN_QUOTES = "broken_quotes"
    TOO_MANY_ROWS = "too_many_rows"
    NO_ROWS = "no_rows"
    MISSING_COLUMN = "missing_column"
    DOUBLED_COLUMN = "doubled_column"
    OTHER_LIST = "other_list"
    GARBLED_HEADING = "garbled_heading"
    TOO_MANY_CELLS = "too_many_cells"
    FORMULA_WITHOUT_VALUE = "formula_without_value"
    ERROR_CELL = "error_cell"
    DATE_CELL = "date_cell"
    BOOLEAN_CELL = "boolean_cell"
    GARBLED = "garbled"
    LOST_LETTERS = "lost_letters"
    CONTROL_CHARACTER = "control_character"
    EMPTY_CELL = "empty_cell"
    TOO_LONG = "too_long"
    NO_LETTERS = "no_letters"
    NOT_A_PHONE = "not_a_phone"
    LOST_DIGITS = "lost_digits"
    NOT_AN_EMAIL = "not_an_email"
    NOT_A_LEVEL = "not_a_level"
    NOT_AMONG = "not_among"
    NO_LONGER_OFFERED = "no_longer_offered"
    NOT_A_WINDOW = "not_a_window"
    HALF_DAY_UNCLEAR = "half_day_unclear"
    WINDOW_BACKWARDS = "window_backwards"
    NOT_TEACHING = "not_teaching"
    RANGE_BACKWARDS = "range_backwards"
    NOT_YES_OR_NO = "not_yes_or_no"
    NOT_A_MESSAGE_LANGUAGE = "not_a_message_language"
    NOT_A_FAMILY_LANGUAGE = "not_a_family_language"
    NOT_A_TIME_ZONE = "not_a_time_zone"
    NOT_LESSONS_A_WEEK = "not_lessons_a_week"
    UNREACHABLE = "unreachable"
    SAME_ID = "same_id"
    SAME_CHILD = "same_child"
    SAME_EMAIL = "same_email"
    SAME_PHONE = "same_phone"
    SAME_PERSON = "same_person"
    OTHER_PERSON = "other_person"
    SIBLINGS_DIFFER = "siblings_differ"
    FAMILY_STAYS_OUT = "family_stays_out"
    SEVERAL_CHILDREN = "several_children"
    EMAIL_TAKEN = "email_taken"
    PHONE_TAKEN = "phone_taken"


TEXTS: Final[dict[Code, LazyString]] = {
    Code.EMPTY_FILE: _l("The file is empty."),
    Code.NOT_DECODED: _l(
        "The letters of this file can't be read: its character set is none of UTF-8, UTF-16, "
        "Windows-1252 and Windows-1256. In Excel choose Save As and the type “Excel Workbook "
        "(.xlsx)” or “CSV UTF-8”."
    ),
    Code.NOT_DECODED_WORD: _l(
        "The letters of this file can't be read for certain: line %(row)d would say “%(word)s”. It "
        "may mix two character sets. In Excel choose Save As and the type “Excel Workbook (.xlsx)” "
        "or “CSV UTF-8”, and look at the accents and Arabic letters there first."
    ),
    Code.NOT_TEXT: _l(
        "This is neither a workbook (.xlsx) nor a text file (.csv, .txt). Open it in Excel or "
        "LibreOffice, choose Save As and the type “Excel Workbook (.xlsx)”, and choose the new "
        "file here."
    ),
    Code.OLD_WORKBOOK: _l(
        "This is an old workbook (.xls), or one with a password. Open it in Excel or LibreOffice, "
        "choose Save As and the type “Excel Workbook (.xlsx)” without a password, and choose the "
        "new file here."
    ),
    Code.NOT_A_WORKBOOK: _l(
        "This file can't be read as a workbook (.xlsx); it is damaged or of another type, such as "
        ".ods or .xlsb. Open it in Excel or LibreOffice, choose Save As and the type “Excel "
        "Workbook (.xlsx)”, and choose the new file here."
    ),
    Code.WORKBOOK_TOO_LARGE: _l(
        "This workbook is too large: unpacked it has more than %(megabytes)d MB. Copy the list "
        "alone into a new workbook."
    ),
    Code.TOO_MANY_COLUMNS: _l(
        "A list may have at most %(most)d columns. Delete what stands to the right of it."
    ),
    Code.BROKEN_QUOTES: _l(
        "From this row on the file can't be read: a quotation mark is opened and not closed as "
        "CSV wants it, or a cell is far too long."
    ),
    Code.TOO_MANY_ROWS: _l("A file may have at most %(most)d rows. Cut it into several files."),
    Code.NO_ROWS: _l("The file has headings, but no row below them."),
    Code.MISSING_COLUMN: _l(
        "The column “%(heading)s” is missing. The headings in the file are: %(found)s."
    ),
    Code.DOUBLED_COLUMN: _l(
        "The column “%(heading)s” is there more than once: %(found)s. Leave only one."
    ),
    Code.OTHER_LIST: _l("This looks like the other list. Choose which list it is, and try again."),
    Code.GARBLED_HEADING: _l(
        "The heading “%(heading)s” was read in a wrong character set before it was saved, and so "
        "were the names below. Go back to the list that the file was made from."
    ),
    Code.TOO_MANY_CELLS: _l(
        "Expected: at most %(columns)d cells, as many as there are headings; this row has "
        "%(cells)d. A cell that holds the separator must stand between quotation marks."
    ),
    Code.FORMULA_WITHOUT_VALUE: _l(
        "This cell holds a formula whose result was not saved. Open the file in Excel or "
        "LibreOffice and save it there, or write the value itself."
    ),
    Code.ERROR_CELL: _l("This cell holds an error of the spreadsheet. Expected: the value itself."),
    Code.DATE_CELL: _l(
        "The spreadsheet made a date of this cell. Format the cell as Text, then write it again."
    ),
    Code.BOOLEAN_CELL: _l(
        "The spreadsheet made a yes or no of this cell. Format it as Text, then write it again."
    ),
    Code.GARBLED: _l(
        "These letters were read in a wrong character set before the file was saved. Expected: the "
        "text as it was written."
    ),
    Code.LOST_LETTERS: _l(
        "Question marks stand here for letters that got lost when the file was saved. In Excel "
        "choose Save As and the type “Excel Workbook (.xlsx)” or “CSV UTF-8”."
    ),
    Code.CONTROL_CHARACTER: _l(
        "Expected: plain text on one line, without line breaks, tabs or invisible characters."
    ),
    Code.EMPTY_CELL: _l("Expected: something; this cell must not be empty."),
    Code.TOO_LONG: _l("Expected: at most %(most)d characters; there are %(length)d."),
    Code.NO_LETTERS: _l("Expected: a name with letters."),
    Code.NOT_A_PHONE: _l(
        "Expected: one telephone number, such as 0612345678, or +33612345678 from abroad."
    ),
    Code.LOST_DIGITS: _l(
        "The spreadsheet shortened this number, and digits got lost. Format the column as Text and "
        "write the whole number."
    ),
    Code.NOT_AN_EMAIL: _l("Expected: an e-mail address, such as nom@example.org."),
    Code.NOT_A_LEVEL: _l("Expected: one of %(accepted)s."),
    Code.NOT_AMONG: _l(
        "“%(item)s” is not known. Expected: one or more of %(accepted)s, with a semicolon between "
        "two of them."
    ),
    Code.NO_LONGER_OFFERED: _l(
        "“%(item)s” is no longer offered by the programme. Expected: one or more of %(accepted)s."
    ),
    Code.NOT_A_WINDOW: _l(
        "“%(item)s” is not a day with two times. Expected: such as “lun 18:00-20:00; sam "
        "09:00-11:30”, “lundi, mercredi 18h-20h30” or “الاثنين 18:00-20:00”."
    ),
    Code.HALF_DAY_UNCLEAR: _l(
        "“%(item)s” may mean the morning or the evening. Expected: times such as 18:00 or 18h."
    ),
    Code.WINDOW_BACKWARDS: _l("“%(item)s” does not end after it starts. Expected: a later end."),
    Code.NOT_TEACHING: _l(
        "“%(item)s” is not a subject with its levels. Expected: such as “Mathématiques: 1AC-3AC; "
        "SVT: TC”. Subjects: %(subjects)s. Levels: %(levels)s."
    ),
    Code.RANGE_BACKWARDS: _l(
        "“%(item)s” runs from the older level to the younger. Expected: the younger one first."
    ),
    Code.NOT_YES_OR_NO: _l("Expected: oui or non."),
    Code.NOT_A_MESSAGE_LANGUAGE: _l("Expected: arabe or français."),
    Code.NOT_A_FAMILY_LANGUAGE: _l(
        "Expected: arabe, français or darija (which is written in Latin letters)."
    ),
    Code.NOT_A_TIME_ZONE: _l(
        "Expected: the name of a time zone, such as Europe/Paris or America/Montreal; empty for "
        "volunteers in Morocco."
    ),
    Code.NOT_LESSONS_A_WEEK: _l("Expected: a whole number from 0 to 40."),
    Code.UNREACHABLE: _l("Expected: an e-mail address or a telephone number, or both."),
    Code.SAME_ID: _l("Row %(other)d has the same number. Expected: one row for each person."),
    Code.SAME_CHILD: _l(
        "Row %(other)d has the same child: the same telephone and the same name. Expected: one row "
        "for each child. For two children of the same name, give both rows a number in the column "
        "“pupil”."
    ),
    Code.SAME_EMAIL: _l(
        "Row %(other)d has the same e-mail address. Expected: one for each person."
    ),
    Code.SAME_PHONE: _l("Row %(other)d has the same telephone. Expected: one for each person."),
    Code.SAME_PERSON: _l(
        "Row %(other)d is the same person as this row: %(name)s. Expected: one row for each person."
    ),
    Code.OTHER_PERSON: _l(
        "This number is somebody else's in what is known: %(name)s. Expected: a number of its own. "
        "If it is the same person, store the new name first, then the new telephone or address."
    ),
    Code.SIBLINGS_DIFFER: _l(
        "Row %(other)d has the same telephone, but “%(differing)s” there. Expected: the same in "
        "all rows of a telephone."
    ),
    Code.FAMILY_STAYS_OUT: _l(
        "Row %(other)d has the same telephone and says something else about the family. Nobody "
        "can tell which row is right, so all rows of this telephone stay out until they agree."
    ),
    Code.SEVERAL_CHILDREN: _l(
        "Several children with this name and telephone are known. Expected: the child's number in "
        "the column “pupil”, one of %(refs)s."
    ),
    Code.EMAIL_TAKEN: _l("This e-mail address is already that of the volunteer %(name)s."),
    Code.PHONE_TAKEN: _l("This telephone is already that of the volunteer %(name)s."),
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """The names that a section of the programme accepts, listed in the reader's language."""

    section: str

    def __str__(self) -> str:
        names = programme.names(self.section, page_locale(), offered=True)
        return ", ".join(names if self.section == "levels" else names.values())


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: the row as a spreadsheet numbers it (headings are 1)."""

    code: Code
    row: int | None = None
    """None where the whole file is meant."""
    column: str | None = None
    """The heading as the file writes it; None where no single column is meant."""
    read: str | None = None
    """The cell as it was read."""
    values: tuple[tuple[str, Any], ...] = ()
    """What the code's text is filled with."""

    @property
    def expected(self) -> str:
        """What is expected there, in the reader's language."""
        return str(TEXTS[self.code]) % dict(self.values)

    @property
    def quote(self) -> str:
        """What was read, cut where it is long; empty where there is nothing to quote."""
        text = self.read or ""
        return text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"

    def __str__(self) -> str:
        """The whole problem on one line, in the reader's language."""
        if self.row is None:
            return self.expected
        if self.column is None:
            return _("Row %(row)d: %(expected)s", row=self.row, expected=self.expected)
        return _(
            "Row %(row)d, column “%(column)s”, read “%(read)s”: %(expected)s",
            row=self.row,
            column=self.column,
            read=self.quote,
            expected=self.expected,
        )


class BadCell(Exception):
    """A cell can't be understood; the reader of the row adds where it stands."""

    def __init__(self, code: Code, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = tuple(sorted(values.items()))


class UnreadableFile(Exception):
    """The file as a whole can't be taken; `problems` says why."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems
