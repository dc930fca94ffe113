"""What a browser makes of a page: elements, attributes, texts and where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

_VOID: Final = frozenset(
    ("meta", "link", "input", "br", "hr", "img", "path", "circle", "rect", "line")
)
# Their texts are laid out by themselves, each in its own direction, or are not shown.
_OWN: Final = frozenset(("bdi", "title", "option", "textarea"))


@dataclass
class Drawn(HTMLParser):
    """A page that was read: feed it."""

    shapes: set[tuple[str, str]] = field(default_factory=set)
    """(element, attribute) of all that stands in the page; "" for the element itself."""
    texts: list[tuple[str, bool]] = field(default_factory=list)
    """Each text, and whether it can't turn what stands around it."""
    values: list[str] = field(default_factory=list)
    """What stands in attributes."""
    _open: list[tuple[str, bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.shapes |= {(tag, ""), *((tag, name) for name in given)}
        self.values += given.values()
        apart = (
            tag in _OWN
            or ("dir" in given and tag != "html")
            or given.get("class") == "visually-hidden"
        )
        if tag not in _VOID:
            self._open.append((tag, apart))

    def handle_endtag(self, tag: str) -> None:
        while self._open:
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((data.strip(), any(apart for _tag, apart in self._open)))


def read_page(html: str) -> Drawn:
    """A page as its reader gets it."""
    drawn = Drawn()
    drawn.feed(html)
    drawn.close()
    return drawn
