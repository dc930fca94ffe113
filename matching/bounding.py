"""Lowering the bound while another thread searches for a plan."""

from __future__ import annotations

import threading
from types import TracebackType

from matching.bound import verify
from matching.price_search import PriceSearch
from matching.rules import Rules


class Bounding:
    """Within `with`, if clocked, a thread moves prices; else `now` does. Then ask `verified`."""

    def __init__(self, rules: Rules, clocked: bool) -> None:
        self.rules = rules
        self._search: PriceSearch | None = None
        self._stepped = 0
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True) if clocked else None

    def __enter__(self) -> Bounding:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._enough.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        self._search = PriceSearch(self.rules)
        while not self._search.finished and not self._enough.is_set():
            self._search.step()

    def now(self, iterations: int) -> int | None:
        """The bound as the search has it, if it has begun.

        Without a clock the prices are moved as often as the search for a plan has iterated: the
        same iterations see the same bound.
        """
        if self._thread is None and iterations > self._stepped:
            if self._search is None:
                self._search = PriceSearch(self.rules)
            self._search.step(iterations - self._stepped)
            self._stepped = iterations
        return None if self._search is None else self._search.bound

    def verified(self) -> int | None:
        """The bound as `matching.bound.verify` finds it from the prices alone."""
        if self._search is None or not self._search.rounds:
            return None
        return verify(self.rules, self._search.prices())
