"""A person's week as a form: named periods, exact times, and what browsers send back."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from flask import Flask, render_template_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from app.i18n import show_page_in
from app.models import Window
from app.web.availability import PERIODS, WeekForm

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MON, TUE, SUN = 0, 1, 6
MACROS = ("week", "compact")


@pytest.fixture(autouse=True)
def request_in_english(app: Flask) -> Iterator[None]:
    with app.test_request_context():
        show_page_in("en")
        yield


class Fields(HTMLParser):
    """What a browser would send of a page's inputs."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.sent: MultiDict[str, str] = MultiDict()
        self.open_details = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "details":
            self.open_details += "open" in values
        if tag == "input" and (values["type"] != "checkbox" or "checked" in values):
            self.sent.add(values["name"], values.get("value", ""))


def shown(form: WeekForm, macro: str = "week") -> str:
    source = f'{{% import "_availability.html" as a %}}{{{{ a.{macro}(form) }}}}'
    return render_template_string(source, form=form)


def sent(**fields: str | list[str]) -> WeekForm:
    return WeekForm.from_request(MultiDict(fields))


@st.composite
def weeks(draw: st.DrawFn) -> list[Window]:
    """Windows of which none touches another, some of them made of whole periods."""
    edges = sorted({period.start for period in PERIODS} | {PERIODS[-1].end})
    minutes = st.one_of(st.sampled_from(edges), st.integers(0, 1440))
    found: list[Window] = []
    for day in range(7):
        cuts = sorted(draw(st.sets(minutes, max_size=12)))
        found += [(day, *pair) for pair in list(pairwise(cuts))[::2]]
    return found


@pytest.mark.parametrize("macro", MACROS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(windows=weeks())
def test_a_week_comes_back_from_the_browser_as_it_was_shown(
    macro: str, windows: list[Window]
) -> None:
    page = Fields(shown(WeekForm.of(windows, to_agree=not windows), macro))
    again = WeekForm.from_request(page.sent)
    assert again.errors == {}
    assert again.windows == windows
    assert again.to_agree is (not windows)


def test_periods_follow_each_other_without_a_gap() -> None:
    assert all(before.end == after.start for before, after in pairwise(PERIODS))


def test_neighbouring_periods_and_times_that_touch_become_one_window() -> None:
    form = sent(period1=["after_school", "evening"], from1=["21:00"], to1=["21:30"])
    assert form.windows == [(TUE, 16 * 60, 21 * 60 + 30)]


def test_what_fits_no_period_comes_back_as_exact_times() -> None:
    form = WeekForm.of([(MON, 480, 720), (TUE, 1050, 1260), (SUN, 0, 1440)], to_agree=False)
    assert (form.days[MON].periods, form.days[MON].exact) == (frozenset({"morning"}), ())
    assert (form.days[TUE].periods, form.days[TUE].exact) == (frozenset(), (("17:30", "21:00"),))
    assert form.days[SUN].exact == (("00:00", "00:00"),)
    assert Fields(shown(form)).open_details == 2


def test_touching_windows_of_a_list_are_shown_as_one() -> None:
    form = WeekForm.of([(MON, 480, 600), (MON, 600, 720)], to_agree=False)
    assert form.days[MON].periods == {"morning"}


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("18:30", "20:00"),
        ("18h30", "20h"),
        ("18.30", "20"),
        ("١٨:٣٠", "٢٠:٠٠"),
        (" 18:30:00 ", "20"),
    ],
)
def test_times_are_read_as_people_write_them(start: str, end: str) -> None:
    assert sent(from0=start, to0=end).windows == [(MON, 1110, 1200)]


def test_midnight_as_an_end_is_the_end_of_the_day() -> None:
    assert sent(from0="22:00", to0="00:00").windows == [(MON, 1320, 1440)]


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("18:00", "", "Monday: enter both times, from and to."),
        ("", "18:00", "Monday: enter both times, from and to."),
        ("18:00", "17:00", "Monday: the second time must be later than the first."),
        ("18:00", "18:00", "Monday: the second time must be later than the first."),
        ("25:00", "26:00", "Monday: write the times like 18:30."),
        ("18:60", "19:00", "Monday: write the times like 18:30."),
        ("²²:00", "23:00", "Monday: write the times like 18:30."),
        ("<b>", "'; --", "Monday: write the times like 18:30."),
    ],
)
@pytest.mark.parametrize("macro", MACROS)
def test_wrong_times_say_which_day_and_what_to_do(
    start: str, end: str, said: str, macro: str
) -> None:
    form = sent(period6="morning", from0=["", start], to0=["", end])
    assert form.errors == {"day0": [said]}
    assert form.windows == []
    page = shown(form, macro)
    assert f'id="{form["day0"].id}"' in page
    assert said in page
    assert "<b>" not in page


def test_the_wrong_one_of_two_times_is_the_one_that_is_marked() -> None:
    form = sent(from0=["08:00", "18:00"], to0=["09:00", ""])
    assert form["day0"].id == "from0-1"
    assert shown(form).count('aria-invalid="true"') == 2


@pytest.mark.parametrize("macro", MACROS)
def test_an_empty_week_asks_for_times_or_for_a_tick(macro: str) -> None:
    form = sent()
    assert form.errors == {"times": ["Tick at least one part of a day, or “I don't know yet”."]}
    assert f'id="{form["times"].id}"' in shown(form, macro)


def test_who_does_not_know_yet_has_no_windows() -> None:
    form = sent(to_agree="1")
    assert (form.windows, form.to_agree, form.errors) == ([], True, {})


@pytest.mark.parametrize("macro", MACROS)
def test_times_and_not_knowing_them_are_refused_together(macro: str) -> None:
    form = sent(to_agree="1", period0="morning")
    assert form.errors == {"times": ["Choose times, or “I don't know yet”: not both."]}
    assert f'id="{form["times"].id}"' in shown(form, macro)


def test_a_day_is_copied_to_the_others_with_all_that_is_wrong_in_it() -> None:
    form = sent(copy="1", period1="morning", from1="18:00", to1="x", period6="evening")
    assert form.is_copy
    assert form.errors == {}
    assert {(day.periods, day.exact) for day in form.days} == {
        (frozenset({"morning"}), (("18:00", "x"),))
    }
    assert [day.number for day in form.days] == list(range(7))


@pytest.mark.parametrize("copied", ["7", "-1", "", "x", "٣", "1e0"])
def test_copying_a_day_that_is_none_copies_nothing(copied: str) -> None:
    assert not sent(copy=copied, period1="morning").is_copy


def test_what_no_page_offers_is_left_out() -> None:
    hostile = sent(period0=["night", "morning"], from0=["18:00"] * 1000, to0=["19:00"] * 1000)
    assert hostile.windows == [(MON, 480, 720), (MON, 1080, 1140)]


def test_the_compact_week_is_light() -> None:
    week = WeekForm.of([(day, 480, 720) for day in range(7)], to_agree=False)
    assert len(shown(week, "compact").encode()) < 10_000
