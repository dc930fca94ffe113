"""A person on the way through the pages, in a real browser: in each language, small and large.

    @every_way
    def test_coordinator_adds_a_family(way: Way, app: Flask, visit: Visit) -> None:
        page = visit("/coordinator/pupils", signed_in=client)
        page.follow("Add a family")
        page.fill("Name", "Hiba")
        page.press("Save")
        page.look("added")

Texts are named by their English message; the page is read in the way's language. `look` keeps a
screenshot below var/screenshots and checks the page: nothing wider than the screen, no target too
small, nothing that axe finds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import axe_playwright_python
import pytest
from babel.support import NullTranslations, Translations
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from app.i18n import LOCALE_COOKIE, PAGE_LOCALES, isolated
from config import ROOT

SCREENSHOTS = ROOT / "var" / "screenshots"
SMALL, LARGE = 360, 1280
_AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_SMALLEST_TARGET = 44
# A field for a date or a time takes Tab for each of its parts, and for its button.
_TABS_IN_A_FIELD = 5


@dataclass(frozen=True)
class Way:
    """One combination in which a test is walked through."""

    language: str
    width: int
    javascript: bool

    def __str__(self) -> str:
        return f"{self.language}-{self.width}-{'js' if self.javascript else 'nojs'}"


def _ways() -> Iterator[Any]:
    """Each language once, widths and JavaScript alternating; the others are slow."""
    usual = {Way("fr", SMALL, False), Way("ar", LARGE, True), Way("en", SMALL, False)}
    for language in PAGE_LOCALES:
        for width in (SMALL, LARGE):
            for javascript in (False, True):
                way = Way(language, width, javascript)
                marks = () if way in usual else (pytest.mark.slow,)
                yield pytest.param(way, id=str(way), marks=marks)


def every_way(test: Callable[..., None]) -> Callable[..., None]:
    """Walk a browser test in each language; `make test-full` takes every combination."""
    walked = pytest.mark.parametrize("way", list(_ways()))(test)
    walked = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)(walked)
    marked: Callable[..., None] = pytest.mark.browser(walked)
    return marked


class Visitor:
    """A page in the way's language, and what its reader does."""

    def __init__(self, page: Page, way: Way, test: str) -> None:
        self.page, self.way, self._test = page, way, test

    def says(self, message: str, **values: object) -> str:
        """An English message as the page says it."""
        text = _texts(self.way.language).gettext(message)
        with_marks = isolated(values, right_to_left=self.way.language == "ar")
        return text % with_marks if values else text

    def counts(self, one: str, many: str, number: int) -> str:
        """An English message about so many as the page says it."""
        return _texts(self.way.language).ngettext(one, many, number) % {"num": number}

    def open(self, path: str) -> None:
        self.page.goto(path)

    def follow(self, message: str, **values: object) -> None:
        """Follow the first link with this text."""
        self.link(message, **values).first.click()

    def press(self, message: str, **values: object) -> None:
        """Press the first button with this text."""
        self.button(message, **values).first.click()

    def fill(self, label: str, text: str) -> None:
        """Write into the first field with this label."""
        self.field(label).first.fill(text)

    def check(self, label: str) -> None:
        """Tick the first box, or choose the first radio button, with this label."""
        self.field(label).first.check()

    def choose(self, label: str, value: str) -> None:
        """Choose an option by its value in the first list with this label."""
        self.field(label).first.select_option(value)

    def link(self, message: str, **values: object) -> Locator:
        return self.page.get_by_role("link", name=self.says(message, **values), exact=True)

    def button(self, message: str, **values: object) -> Locator:
        return self.page.get_by_role("button", name=self.says(message, **values), exact=True)

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(self.says(label), exact=True)

    def sees(self, text: str) -> None:
        """Wait until a text, as it stands, is shown; a message first goes through `says`."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def sees_not(self, text: str) -> None:
        expect(self.page.get_by_text(text)).to_have_count(0)

    def heading(self, message: str, **values: object) -> None:
        """Wait until the page's main heading is this message."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(self.says(message, **values))

    def look(self, name: str) -> None:
        """Keep a screenshot, and fail where the page is one that somebody could not use."""
        folder = SCREENSHOTS / re.sub(r"\W+", "-", self._test)
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}-{self.way}.png", full_page=True)
        expect(self.page.locator("html")).to_have_attribute("lang", self.way.language)
        found = faults(self.page, axe=self.way.javascript)
        if found:
            pytest.fail(f"{name}, {self.way}:\n" + "\n".join(found), pytrace=False)


class Visit(Protocol):
    """Open a path in a browser of its own; `signed_in` is a test client whose session it gets."""

    def __call__(self, path: str, signed_in: FlaskClient | None = None) -> Visitor: ...


def visit_factory(browser: Browser, address: str, way: Way, test: str) -> Iterator[Visit]:
    """What the fixture `visit` gives; the browsers close at its end."""
    contexts: list[BrowserContext] = []

    def visit(path: str, signed_in: FlaskClient | None = None) -> Visitor:
        context = browser.new_context(
            base_url=address,
            viewport={"width": way.width, "height": 800},
            java_script_enabled=way.javascript,
        )
        contexts.append(context)
        cookies = {LOCALE_COOKIE: way.language}
        session = signed_in.get_cookie("session") if signed_in is not None else None
        if session is not None:
            cookies["session"] = session.value
        for name, value in cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": address}])
        visitor = Visitor(context.new_page(), way, test)
        visitor.open(path)
        return visitor

    yield visit
    for context in contexts:
        context.close()


def faults(page: Page, *, axe: bool) -> list[str]:
    """What makes a page hard to use, in words; `axe` needs a page that runs scripts."""
    found = []
    if page.locator("html").evaluate("html => html.scrollWidth > html.clientWidth"):
        found.append(f"{page.url} is wider than the screen")
    found += [f"{page.url}: too small to hit: {target}" for target in page.evaluate(_SMALL_TARGETS)]
    return found + (_axe_violations(page) if axe else [])


def out_of_reach(page: Page) -> list[str]:
    """What the Tab key does not come to, or comes to without showing where it is."""
    wanted = page.evaluate(_MARK_STOPS)
    seen: set[str] = set()
    hidden: set[str] = set()
    last = ""
    for _press in range(wanted * _TABS_IN_A_FIELD + 5):
        page.keyboard.press("Tab")
        stop, shown = page.evaluate(_WHERE)
        if stop == last:
            continue  # at another part of the same field, which shows itself where we are
        if stop in seen:
            break
        last = stop
        if stop:
            seen.add(stop)
            if not shown:
                hidden.add(stop)
    missed = page.evaluate(_MISSED, sorted(seen))
    return [f"{page.url}: Tab does not reach {stop}" for stop in missed] + [
        f"{page.url}: focus can't be seen on stop {stop}" for stop in sorted(hidden)
    ]


def _axe_violations(page: Page) -> list[str]:
    page.evaluate(_AXE)
    options = json.dumps({"runOnly": {"type": "tag", "values": _RULES}})
    violations = page.evaluate(f"() => axe.run(document, {options}).then(r => r.violations)")
    return [
        f"{page.url}: {violation['id']}: {violation['help']}: {node['html'][:200]}"
        for violation in violations
        for node in violation["nodes"]
    ]


# Links inside sentences are exempt (WCAG 2.5.8); a label is part of its box's target.
_SMALL_TARGETS = f"""() => {{
  const small = [];
  const targets = "button, select, textarea, summary, a.button, nav a, input:not([type=hidden])";
  for (const target of document.querySelectorAll(targets)) {{
    const boxes = [target, ...(target.labels || [])]
      .map(one => one.getBoundingClientRect())
      .filter(box => box.width && box.height);
    if (!boxes.length || target.closest("details:not([open]) > :not(summary)")) continue;
    const top = Math.min(...boxes.map(box => box.top));
    const bottom = Math.max(...boxes.map(box => box.bottom));
    const left = Math.min(...boxes.map(box => box.left));
    const right = Math.max(...boxes.map(box => box.right));
    if (bottom - top < {_SMALLEST_TARGET} - 0.5 || right - left < {_SMALLEST_TARGET} - 0.5)
      small.push(target.outerHTML.slice(0, 120) + " " + (right - left) + "x" + (bottom - top));
  }}
  return small;
}}"""


# Of a group of radio buttons the keyboard stops at one, and the arrows do the rest.
_MARK_STOPS = """() => {
  const stops = "a[href], button, input:not([type=hidden]), select, textarea, summary";
  const groups = new Set();
  let number = 0;
  for (const stop of document.querySelectorAll(stops)) {
    if (stop.disabled || !stop.checkVisibility()) continue;
    if (stop.type === "radio") {
      if (groups.has(stop.name)) continue;
      groups.add(stop.name);
    }
    stop.dataset.stop = stop.type === "radio" ? "radio-" + stop.name : String(++number);
  }
  return number + groups.size;
}"""
_WHERE = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return ["", true];
  const stop = at.type === "radio" ? "radio-" + at.name : at.dataset.stop || "";
  return [stop, getComputedStyle(at).outlineStyle !== "none"];
}"""
_MISSED = """seen => [...document.querySelectorAll("[data-stop]")]
  .filter(stop => !seen.includes(stop.dataset.stop))
  .map(stop => stop.outerHTML.slice(0, 120))"""


@cache
def _texts(language: str) -> NullTranslations:
    return Translations.load(ROOT / "app" / "translations", [language], "messages")
