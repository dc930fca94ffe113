"""The programme as coordinators set it: lists, spellings, levels, ways of holding lessons."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from app.extensions import db
from app.models import AuditEntry, Channel, Level, ListKind, Setting, Subject, Tag
from app.services import programme, programme_lists
from app.services.errors import Conflict, Invalid, NotFound
from app.services.imports import apply_import, plan_import
from app.services.imports.cells import parse_family_language, parse_level
from app.services.imports.naming import parse_codes, parse_levels
from app.services.imports.problems import BadCell
from app.services.programme import MatchingRules
from app.services.programme_lists import Exam, Names
from tests.support import people
from tests.support.groups import active_group
from tests.support.lists import HIBA, make_list, problems

GEOGRAPHY = Names("Géographie", "الجغرافيا", "Geography", ("Histoire-Géo", "HG"))

sqlite_alone = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def _programme(app: Flask) -> Iterator[None]:
    with app.app_context():
        people.make_programme()
        yield


def codes(section: str) -> list[str]:
    return [entry.code for entry in programme.entries(section)]


def acts() -> list[tuple[str, str]]:
    rows = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(row.action, row.subject) for row in rows]


def test_new_programme_has_what_the_file_lists() -> None:
    assert codes("subjects")[:3] == ["maths", "physics", "svt"]
    assert codes("levels")[0] == "1AEP"
    assert codes("levels")[-1] == "2BAC"
    assert codes("channels") == ["call", "whatsapp", "video", "in_person"]
    assert codes("tags") == ["woman"]
    assert db.session.get_one(Tag, "woman").name_in("ar") == "متطوعة"
    assert programme.spellings("subjects")["رياضيات"] == "maths"


def test_loading_again_keeps_what_a_coordinator_changed() -> None:
    maths = Names("Calcul", "الحساب", "Sums")
    programme_lists.change_entry("subjects", "maths", maths, None)
    programme_lists.move_level("1AEP", up=False, by=None)
    programme_lists.set_retired("languages", "tamazight", retired=True, by=None)
    before = codes("levels")
    programme.load_programme()
    assert programme.names("subjects", "fr")["maths"] == "Calcul"
    assert codes("levels") == before == ["2AEP", "1AEP", *before[2:]]
    assert programme.retired_codes("languages") == {"tamazight"}


def test_loading_again_adds_what_is_missing_in_its_place() -> None:
    db.session.delete(people.level("TC"))
    db.session.delete(people.subject("svt"))
    db.session.commit()
    programme.load_programme()
    levels = codes("levels")
    assert levels[levels.index("3AC") : levels.index("1BAC") + 1] == ["3AC", "TC", "1BAC"]
    assert codes("subjects")[-1] == "svt"


def test_other_spellings_are_filled_in_where_none_were_ever_given() -> None:
    people.subject("maths").also = None
    people.subject("svt").also = []
    db.session.commit()
    programme.load_programme()
    assert "Maths" in (people.subject("maths").also or [])
    assert people.subject("svt").also == []


def test_added_subject_is_understood_in_lists_under_all_its_names() -> None:
    row = programme_lists.add_entry("subjects", GEOGRAPHY, None)
    assert row.code == "geography"
    for text in ("Géographie", "الجغرافيا", "geography", "HG", "histoire-geo"):
        assert parse_codes(text, "subjects") == ("geography",)
    report = apply_import(ListKind.PUPILS, make_list({**HIBA, "matieres": "Maths; HG"}), None)
    assert problems(report) == []
    assert acts()[0] == ("add_entry", "subjects:geography")


@sqlite_alone
@pytest.mark.parametrize(
    ("names", "said"),
    [
        (Names("Maths", "الجغرافيا", "Geography"), "Maths.*désigne déjà Mathématiques"),
        (Names("Géographie", "الجغرافيا", "Geography", ("S V T",)), "S V T.*désigne déjà SVT"),
        (Names("Géographie", "", "Geography"), "trois langues"),
        (Names("Géographie", "!!", "Geography"), "!!"),
        (Names("G" * 81, "الجغرافيا", "Geography"), "80 lettres"),
        (
            Names("Géographie", "الجغرافيا", "Geography", tuple(f"g{n}" for n in range(41))),
            "40 autres",
        ),
    ],
)
def test_names_that_cannot_be_told_apart_are_refused(names: Names, said: str) -> None:
    with pytest.raises((Invalid, Conflict), match=said):
        programme_lists.add_entry("subjects", names, None)
    assert "geography" not in codes("subjects")


def test_same_names_in_another_list_are_no_clash() -> None:
    assert programme_lists.add_entry("tags", GEOGRAPHY, None).code == "geography"
    same = Names("Encore", "مرة أخرى", "Geography!")
    assert programme_lists.add_entry("subjects", same, None).code == "geography"
    assert codes("tags") == ["woman", "geography"]


def test_retired_entry_is_recognised_and_said_to_be_offered_no_longer() -> None:
    programme_lists.set_retired("subjects", "svt", retired=True, by=None)
    report = plan_import(ListKind.PUPILS, make_list({**HIBA, "matieres": "SVT"}))
    assert problems(report) == [(2, "matieres", "SVT", "no_longer_offered")]
    expected = report.rows[0].problems[0].expected
    assert "SVT" in expected.split(".")[0]
    assert "Mathématiques" in expected
    assert "SVT" not in expected.split(":")[1]
    programme_lists.set_retired("subjects", "svt", retired=False, by=None)
    assert parse_codes("SVT", "subjects") == ("svt",)
    assert [act for act, _subject in acts()] == ["retire_entry", "offer_entry"]


@sqlite_alone
def test_range_leaves_out_a_retired_level_and_ends_at_none() -> None:
    programme_lists.set_retired("levels", "2AC", retired=True, by=None)
    assert parse_levels("1AC-3AC") == ("1AC", "3AC")
    assert parse_levels("collège") == ("1AC", "3AC")
    for text in ("2AC", "1AC-2AC"):
        with pytest.raises(BadCell) as refused:
            parse_levels(text)
        assert refused.value.code == "no_longer_offered"


@sqlite_alone
def test_last_entry_on_offer_stays() -> None:
    with pytest.raises(Conflict):
        programme_lists.set_retired("tags", "woman", retired=True, by=None)


def test_level_is_added_in_its_place_and_moved() -> None:
    names = Names("Maternelle", "التعليم الأولي", "Nursery school")
    programme_lists.add_level("MAT", names, Exam(2, False, date(2027, 6, 1)), None, None)
    assert codes("levels")[:2] == ["MAT", "1AEP"]
    assert people.level("MAT").exam_on is None, "no exam, no date"
    programme_lists.move_level("MAT", up=False, by=None)
    assert codes("levels")[:3] == ["1AEP", "MAT", "2AEP"]
    programme_lists.move_level("1AEP", up=True, by=None)
    assert codes("levels")[:3] == ["1AEP", "MAT", "2AEP"], "nothing is above the first"
    assert parse_level("nursery school") == "MAT"
    names = Names("CPGE", "الأقسام التحضيرية", "Preparatory classes")
    programme_lists.add_level("CPGE", names, Exam(3, True, None), "2BAC", None)
    assert codes("levels")[-1] == "CPGE"
    ranks = list(db.session.scalars(select(Level.rank).order_by(Level.rank)))
    assert ranks == list(range(len(ranks)))


@sqlite_alone
@pytest.mark.parametrize("code", ["", "A-B", "2 BAC", "é", "A" * 13, "2BAC"])
def test_level_needs_a_short_name_of_its_own(code: str) -> None:
    names = Names("Maternelle", "التعليم الأولي", "Nursery school")
    with pytest.raises((Invalid, Conflict)):
        programme_lists.add_level(code, names, Exam(1, False, None), None, None)


@sqlite_alone
@pytest.mark.parametrize("weight", [0, -1, 101])
def test_weight_is_bounded(weight: int) -> None:
    with pytest.raises(Invalid):
        programme_lists.change_level(
            "TC", Names("Tronc commun", "الجذع المشترك", "TC"), Exam(weight, False, None), None
        )


def test_group_size_is_not_below_a_group_in_force_and_says_so() -> None:
    whatsapp = Names("WhatsApp", "واتساب", "WhatsApp")
    home = people.make_household(pupils=[("Hiba Touil", "3AC", ["maths"])])
    other = people.make_household(pupils=[("Adam Alami", "3AC", ["maths"])])
    active_group(people.make_tutor(), [one.pupils[0].requests[0].id for one in (home, other)])
    assert programme_lists.sizes_in_force() == {"whatsapp": {2: 1}}
    with pytest.raises(Conflict, match="2"):
        programme_lists.change_channel("whatsapp", whatsapp, 1, 1, None)
    programme_lists.change_channel("whatsapp", whatsapp, 2, 5, None)
    row = db.session.get_one(Channel, "whatsapp")
    assert (row.max_group, row.cost) == (2, 5)


@sqlite_alone
@pytest.mark.parametrize(("size", "cost"), [(0, 1), (31, 1), (2, -1), (2, 101)])
def test_group_size_and_cost_are_bounded(size: int, cost: int) -> None:
    with pytest.raises(Invalid):
        programme_lists.change_channel(
            "whatsapp", Names("WhatsApp", "واتساب", "WhatsApp"), size, cost, None
        )


@sqlite_alone
def test_way_without_a_variant_for_one_alone_takes_no_groups() -> None:
    with pytest.raises(Invalid):
        programme_lists.change_channel("call", Names("appel", "مكالمة", "call"), 2, 3, None)


def test_retired_way_takes_its_variant_along() -> None:
    programme_lists.set_retired("channels", "video", retired=True, by=None)
    assert db.session.get_one(Channel, "video_one").retired
    assert programme.names("channels", "fr", offered=True).keys() == {
        "call", "whatsapp", "in_person",
    }  # fmt: skip


@sqlite_alone
def test_unknown_entry_is_not_found() -> None:
    with pytest.raises(NotFound):
        programme_lists.change_entry("subjects", "alchemy", GEOGRAPHY, None)


def test_uses_are_counted() -> None:
    people.make_tutor()
    people.make_household()
    listed = {entry.row.code: entry for entry in programme_lists.list_entries("subjects")}
    assert (listed["maths"].volunteers, listed["maths"].families) == (1, 1)
    assert (listed["svt"].volunteers, listed["svt"].families) == (0, 0)
    for section in ("levels", "channels", "languages", "tags"):
        assert programme_lists.list_entries(section)


def test_length_of_lessons_is_the_files_until_it_is_chosen() -> None:
    assert programme.matching_rules() == MatchingRules(60, 30)
    programme.set_matching_rules(MatchingRules(45, 15), None)
    programme.set_matching_rules(MatchingRules(50, 15), None)
    assert programme.matching_rules() == MatchingRules(50, 15)
    assert db.session.get_one(Setting, "lesson_minutes").value == 50
    assert acts() == [("set_matching_rules", "programme:matching")] * 2


@sqlite_alone
@pytest.mark.parametrize(("minutes", "grid"), [(14, 30), (241, 30), (62, 30), (60, 20), (60, 0)])
def test_length_of_lessons_is_bounded(minutes: int, grid: int) -> None:
    with pytest.raises(Invalid):
        programme.set_matching_rules(MatchingRules(minutes, grid), None)


def test_levels_whose_exam_has_no_date_ahead_are_named() -> None:
    names = Names("2e année bac", "الثانية باكالوريا", "Baccalaureate, year 2")
    with time_machine.travel(datetime(2027, 3, 1, tzinfo=UTC)):
        programme_lists.change_level("2BAC", names, Exam(3, True, date(2027, 6, 8)), None)
        undated = [level.code for level in programme_lists.undated_levels()]
        assert undated == ["6AEP", "3AC", "1BAC"]
    with time_machine.travel(datetime(2027, 6, 9, tzinfo=UTC)):
        assert "2BAC" in [level.code for level in programme_lists.undated_levels()]


@sqlite_alone
@pytest.mark.parametrize(
    ("text", "language"), [("", None), ("Darija", "ary"), ("français", "fr"), ("العربية", "ar")]
)
def test_family_may_be_written_to_in_darija(text: str, language: str | None) -> None:
    assert parse_family_language(text) == language


@sqlite_alone
def test_family_is_not_written_to_in_other_languages() -> None:
    for text in ("tamazight", "Klingon"):
        with pytest.raises(BadCell):
            parse_family_language(text)


def test_subject_keeps_its_code_whatever_it_is_called() -> None:
    programme_lists.change_entry("subjects", "svt", GEOGRAPHY, None)
    assert db.session.scalars(select(Subject.code).order_by(Subject.id)).all()[2] == "svt"
    assert parse_codes("svt; HG", "subjects") == ("svt",)
