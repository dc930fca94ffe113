"""What single cells of a list mean, in the forms that people and spreadsheets give them."""

from __future__ import annotations

import pytest

from app.services.imports.cells import (
    Answer,
    clean_number,
    parse_answer,
    parse_lessons_a_week,
    parse_level,
    parse_phone,
    parse_ref,
    parse_time_zone,
)
from app.services.imports.naming import parse_codes, parse_levels, parse_teaching
from app.services.imports.problems import BadCell
from app.services.imports.times import parse_windows

MON, TUE, WED, THU, FRI, SAT, SUN = range(7)
EVENING = (1080, 1200)

pytestmark = pytest.mark.usefixtures("listed_programme")


@pytest.mark.parametrize(
    "text",
    [
        "0600000101",
        "06 00 00 01 01",
        "06.00.00.01.01",
        "06-00-00-01-01",
        "06/00/00/01/01",
        "06\u00a000\u202f00\u00a001\u00a001",
        "+212600000101",
        "+212 6 00 00 01 01",
        "+212 (0) 6 00 00 01 01",
        "(+212) 0600-000-101",
        "00212600000101",
        "00 212 6 00 00 01 01",
        "212600000101",
        "212 0600000101",
        "\u202a+212 600000101\u202c",
        "\u200e0600000101\u200f",
        "٠٦٠٠٠٠٠١٠١",
        "۰۶۰۰۰۰۰۱۰۱",
        "+٢١٢ ٦٠٠ ٠٠٠ ١٠١",
        "600000101",
        "600000101.0",
        "6.00000101E8",
        "6,00000101E+08",
        "2.12600000101E+11",
    ],
)
def test_telephone_is_one_number_however_it_is_written(text: str) -> None:
    assert parse_phone(clean_number(text)) == "+212600000101"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+33 6 12 34 56 78", "+33612345678"),
        ("0033612345678", "+33612345678"),
        ("33612345678", "+33612345678"),
        ("+1 (514) 555-0199", "+15145550199"),
        ("0537123456", "+212537123456"),
        ("537123456", "+212537123456"),
        ("0712345678", "+212712345678"),
    ],
)
def test_telephone_of_another_country_or_kind_is_kept(text: str, number: str) -> None:
    assert parse_phone(text) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("6,00E+08", "lost_digits"),
        ("2.126E+11", "lost_digits"),
        ("060000010", "not_a_phone"),
        ("06000001012", "not_a_phone"),
        ("0600000102 / 0600000103", "not_a_phone"),
        ("0600000102 0600000103", "not_a_phone"),
        ("0600000102 (mère)", "not_a_phone"),
        ("06 VANILLE", "not_a_phone"),
        ("0600000102 poste 12", "not_a_phone"),
        ("+999 12345678", "not_a_phone"),
        ("", "empty_cell"),
    ],
)
def test_what_is_no_single_whole_telephone_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadCell) as refused:
        parse_phone(text)
    assert refused.value.code.value == code


@pytest.mark.parametrize(
    ("text", "days", "times"),
    [
        ("lun 18:00-20:00", [MON], EVENING),
        ("lun. 18h-20h", [MON], EVENING),
        ("Lundi : 18 h – 20 h", [MON], EVENING),
        ("LUNDI de 18h00 à 20h00", [MON], EVENING),
        ("lundi entre 18h et 20h", [MON], EVENING),
        ("lun 18.00-20.00", [MON], EVENING),
        ("lun 18:00:00 - 20:00:00", [MON], EVENING),
        ("lun 18-20", [MON], EVENING),
        ("lun 18h-20", [MON], EVENING),
        ("Monday 6pm to 8 pm", [MON], EVENING),
        ("Mon 6-8pm", [MON], EVENING),
        ("mon: from 18:00 until 20:00", [MON], EVENING),
        ("الاثنين من ١٨:٠٠ إلى ٢٠:٠٠", [MON], EVENING),
        ("الإثنين ۱۸:۰۰−۲۰:۰۰", [MON], EVENING),
        ("يوم الاثنين 6 مساءً - 8 مساءً", [MON], EVENING),
        ("mar 9h30-11h", [TUE], (570, 660)),
        ("Wed 9am-12pm", [WED], (540, 720)),
        ("dim 9-11h", [SUN], (540, 660)),
        ("lun 9-13", [MON], (540, 780)),
        ("sam 20h-24h", [SAT], (1200, 1440)),
        ("sam 20:00-00:00", [SAT], (1200, 1440)),
        ("lun, mer 18h-20h", [MON, WED], EVENING),
        ("lundi et jeudi 18h-20h", [MON, THU], EVENING),
        ("Mon & Wed 18:00-20:00", [MON, WED], EVENING),
        ("الاثنين والأربعاء 18:00-20:00", [MON, WED], EVENING),
        ("الثلاثاء، الخميس 18:00-20:00", [TUE, THU], EVENING),
        ("lun-mer 18h-20h", [MON, TUE, WED], EVENING),
        ("du lundi au mercredi de 18h à 20h", [MON, TUE, WED], EVENING),
        ("Friday to Sunday 18:00-20:00", [FRI, SAT, SUN], EVENING),
        ("من الاثنين إلى الأربعاء من 18 إلى 20", [MON, TUE, WED], EVENING),
        ("dim-mar 18h-20h", [MON, TUE, SUN], EVENING),
        ("tous les jours 18h-20h", list(range(7)), EVENING),
        ("كل يوم 18:00-20:00", list(range(7)), EVENING),
        ("mar 18h-20h / jeu 18h-20h", [TUE, THU], EVENING),
        ("mar 18h-20h, jeu 18h-20h", [TUE, THU], EVENING),
        ("mar 18h-20h\njeu 18h-20h", [TUE, THU], EVENING),
        ("mar 18h-20h et jeu 18h-20h", [TUE, THU], EVENING),
        ("mar 18h-19h30; mar 19h-20h", [TUE], EVENING),
    ],
)
def test_weekly_times_are_read(text: str, days: list[int], times: tuple[int, int]) -> None:
    assert parse_windows(text) == tuple((day, *times) for day in days)


def test_times_without_a_day_belong_to_the_day_before_them() -> None:
    windows = ((MON, 540, 660), (MON, 840, 960))
    assert parse_windows("lun 9h-11h; 14h-16h") == windows
    assert parse_windows("lun 9h-11h, 14h-16h") == windows


@pytest.mark.parametrize("text", ["", " ", "-", ";", " ; "])
def test_no_weekly_times_means_times_to_be_agreed(text: str) -> None:
    assert parse_windows(text) is None


@pytest.mark.parametrize(
    ("text", "item", "code"),
    [
        ("lun 6-8", "lun 6-8", "half_day_unclear"),
        ("Mon 10-1pm", "Mon 10-1pm", "half_day_unclear"),
        ("lun 18:00-20:00; mar", "mar", "not_a_window"),
        ("mer; lun 18h-20h", "mer", "not_a_window"),
        ("18h-20h", "18h-20h", "not_a_window"),
        ("lun 18h", "lun 18h", "not_a_window"),
        ("lun 18h 20h", "lun 18h 20h", "not_a_window"),
        ("lun 18:00-20:00-22:00", "lun 18:00-20:00-22:00", "not_a_window"),
        ("lun 18:60-20:00", "lun 18:60-20:00", "not_a_window"),
        ("lun 18:00-24:30", "lun 18:00-24:30", "not_a_window"),
        ("lun 18:-20:00", "lun 18:-20:00", "not_a_window"),
        ("Mon 13pm-2pm", "Mon 13pm-2pm", "not_a_window"),
        ("lun soir", "lun soir", "not_a_window"),
        ("lun 18h-20h sauf férié", "lun 18h-20h sauf férié", "not_a_window"),
        ("lun 20h-18h", "lun 20h-18h", "window_backwards"),
        ("lun 18h-18h", "lun 18h-18h", "window_backwards"),
    ],
)
def test_weekly_times_that_are_unclear_are_refused(text: str, item: str, code: str) -> None:
    with pytest.raises(BadCell) as refused:
        parse_windows(text)
    assert (refused.value.code.value, dict(refused.value.values)["item"]) == (code, item)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("3AC", "3AC"),
        ("3 ac", "3AC"),
        ("٣AC", "3AC"),
        ("3ème année collège", "3AC"),
        ("3ASC", "3AC"),
        ("الثالثة إعدادي", "3AC"),
        ("Middle school, year 3", "3AC"),
        ("السنة السادسة ابتدائي", "6AEP"),
        ("Tronc commun scientifique", "TC"),
        ("جذع مشترك", "TC"),
        ("2ème bac", "2BAC"),
        ("أولى باك", "1BAC"),
    ],
)
def test_level_is_known_under_many_names(text: str, level: str) -> None:
    assert parse_level(text) == level


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("1AC-3AC", ["1AC", "2AC", "3AC"]),
        ("1AC à 3AC", ["1AC", "2AC", "3AC"]),
        ("de 1AC à 3AC", ["1AC", "2AC", "3AC"]),
        ("1-3 AC", ["1AC", "2AC", "3AC"]),
        ("6AEP – 1AC", ["6AEP", "1AC"]),
        ("1AC, 2AC et 3AC", ["1AC", "2AC", "3AC"]),
        ("TC; 1BAC", ["TC", "1BAC"]),
        ("1BAC/2BAC", ["1BAC", "2BAC"]),
        ("من الأولى إعدادي إلى الثالثة إعدادي", ["1AC", "2AC", "3AC"]),
        ("الجذع المشترك والأولى باك", ["TC", "1BAC"]),
        ("Primary, year 5 to Middle school, year 1", ["5AEP", "6AEP", "1AC"]),
        ("collège; TC", ["1AC", "2AC", "3AC", "TC"]),
        ("", []),
    ],
)
def test_levels_are_lists_and_ranges(text: str, levels: list[str]) -> None:
    assert list(parse_levels(text)) == levels


COLLEGE = ("1AC", "2AC", "3AC")


@pytest.mark.parametrize(
    ("text", "taught"),
    [
        ("SVT: TC-2BAC", {"svt": ("TC", "1BAC", "2BAC")}),
        ("SVT: TC, 2BAC; Arabe: 6AEP", {"svt": ("TC", "2BAC"), "arabic": ("6AEP",)}),
        ("Maths: 1AC à 3AC; TC; SVT: TC", {"maths": (*COLLEGE, "TC"), "svt": ("TC",)}),
        ("Maths (1AC-3AC), SVT (TC)", {"maths": COLLEGE, "svt": ("TC",)}),
        ("Maths et physique: TC", {"maths": ("TC",), "physics": ("TC",)}),
        ("Physique et chimie : TC", {"physics": ("TC",)}),
        ("Maths: collège", {"maths": COLLEGE}),
        ("الرياضيات: الأولى إعدادي - الثالثة إعدادي", {"maths": COLLEGE}),
        ("علوم الحياة والأرض والفيزياء: TC", {"svt": ("TC",), "physics": ("TC",)}),
        ("Mathematics: Middle school, year 1 to Middle school, year 3", {"maths": COLLEGE}),
    ],
)
def test_what_is_taught_names_subjects_and_levels(
    text: str, taught: dict[str, tuple[str, ...]]
) -> None:
    expected = {(subject, level) for subject, levels in taught.items() for level in levels}
    assert set(parse_teaching(text)) == expected


def test_subjects_without_levels_take_those_of_the_row() -> None:
    assert parse_teaching("Maths; SVT: TC", ["1AC"]) == (("maths", "1AC"), ("svt", "TC"))
    with pytest.raises(BadCell) as refused:
        parse_teaching("Maths; SVT: TC")
    assert dict(refused.value.values)["item"] == "Maths"


@pytest.mark.parametrize(
    ("section", "text", "codes"),
    [
        ("subjects", "Maths, SVT", ["maths", "svt"]),
        ("subjects", "العربية والفرنسية", ["french", "arabic"]),
        ("subjects", "علوم الحياة والأرض والفيزياء والكيمياء", ["physics", "svt"]),
        ("subjects", "Life and earth sciences and Physics and chemistry", ["physics", "svt"]),
        ("channels", "مكالمة وواتساب", ["call", "whatsapp"]),
        ("channels", "appel\nvisio", ["call", "video"]),
        ("channels", "Call + WhatsApp", ["call", "whatsapp"]),
        ("languages", "الدارجة، العربية", ["darija", "ar"]),
        ("languages", "Darija / French / Darija", ["darija", "fr"]),
    ],
)
def test_things_are_parted_as_people_part_them(section: str, text: str, codes: list[str]) -> None:
    assert list(parse_codes(text, section)) == codes


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        *((yes, Answer.YES) for yes in ("oui", "OUI", "yes", "نعم", "TRUE", "VRAI", "✓", "✔️", "1")),
        *((no, Answer.NO) for no in ("non", "No", "لا", "FALSE", "faux", "✗", "0")),
        *((nothing, Answer.EMPTY) for nothing in ("", "-", "–")),
    ],
)
def test_consent_is_said_in_many_words(text: str, answer: Answer) -> None:
    assert parse_answer(text) is answer


@pytest.mark.parametrize("text", ["x", "?", "peut-être", "ok", "oui/non", "oui sauf groupe"])
def test_consent_that_is_unclear_is_refused(text: str) -> None:
    with pytest.raises(BadCell):
        parse_answer(text)


def test_numbers_that_spreadsheets_rewrote_stay_the_same_person() -> None:
    assert {parse_ref(text) for text in ("12", "12.0", "12,00", "١٢")} == {"12"}
    assert parse_ref("012") == "012"
    assert parse_lessons_a_week("٤") == parse_lessons_a_week("4.0") == 4


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("Europe/Paris", "Europe/Paris"),
        ("America/New York", "America/New_York"),
        ("America/Argentina/Buenos_Aires", "America/Argentina/Buenos_Aires"),
        ("UTC", "UTC"),
        ("", None),
    ],
)
def test_time_zone_is_one_that_exists(text: str, zone: str | None) -> None:
    assert parse_time_zone(text) == zone


@pytest.mark.parametrize("text", ["Paris", "Europe", "America/Argentina", "/etc/passwd", "GMT+1"])
def test_time_zone_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadCell):
        parse_time_zone(text)
