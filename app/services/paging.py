"""A long list in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of how many, and of how many items in all."""

    number: int
    pages: int
    total: int
    first: int
    """The index of the page's first item, from 0."""
    size: int

    def cut(self, items: Sequence[T]) -> Sequence[T]:
        """This page's part of all items."""
        return items[self.first : self.first + self.size]


def page_of(total: int, number: int, size: int) -> Page:
    """Page `number`, from 1, of `total` items; the nearest one where there is no such page."""
    pages = max(1, -(-total // size))
    number = min(max(number, 1), pages)
    return Page(number, pages, total, (number - 1) * size, size)
