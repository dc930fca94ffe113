"""The table: one row a file, comparisons beside the engine's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.baselines import Entry
from benchmarks.goals import Goal, missed
from benchmarks.known import KNOWN
from benchmarks.measure import Run

HEADINGS = (
    "file          asked  greedy      blossom   assignment plain CP-SAT    ours   bound    gap"
    " of best      s    MB proved  goal"
)
NOT_RUN = Entry(None, "-")


@dataclass(frozen=True, slots=True)
class Row:
    """What was found on one file; `goal` None: the file has none."""

    name: str
    run: Run
    greedy: int
    others: Sequence[Entry]  # blossom, assignment, plain CP-SAT
    goal: Goal | None

    def missed(self) -> list[str]:
        return missed(self.name, self.goal, self.run, self.greedy) if self.goal else []

    def __str__(self) -> str:
        run = self.run
        blossom, assignment, plain = (str(entry) for entry in self.others)
        verdict = "-" if self.goal is None else "; ".join(self.missed()) or "met"
        return (
            f"{self.name:<12} {run.asked:>6} {self.greedy:>7} {blossom:>12} {assignment:>12}"
            f" {plain:>12} {run.weight:>7} {run.bound:>7} {run.gap:>6.1%}"
            f" {_of_best(self.name, run):>7} {run.seconds:>6.1f} {run.megabytes:>5.0f}"
            f" {run.levels_proved:>4}/4  {verdict}"
        )


def _of_best(name: str, run: Run) -> str:
    return f"{run.weight / KNOWN[name].served:.2%}" if name in KNOWN else "-"
