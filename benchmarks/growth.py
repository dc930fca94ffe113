"""How the time to a good plan grows with the number of pupils.

    python -m benchmarks.growth [--sizes 1000 10000] [--draw docs/growth.svg]

For each size a problem is generated and solved, with more time the larger it is (as the goals have
it: 10 s for 1,000 pupils, 60 for 10,000, 300 for 100,000). Measured is the time until 98 % of the
weight that the run finally serves: by the progress lines, from the moment that the problem has been
read, less what it takes to load Numba and its cached loops. That is measured as the pause between
the greedy's plan and the first of the search with the least problem, where preparing it takes next
to nothing. The exponent is the slope of the line through the points on logarithmic axes, by least
squares.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression

from benchmarks.generator import Shape, generate
from benchmarks.measure import Run, solve
from benchmarks.timeline import loading, reached
from matching.io import write

SIZES = (1_000, 3_162, 10_000, 31_623, 100_000)
SHARE = 0.98
MOST_EXPONENT = 1.2
# Progress lines are written to hundredths of a second.
LEAST_SECONDS = 0.01
# The goals' seconds by pupils, between which lies a straight line on logarithmic axes.
GIVEN = ((1_000, 10.0), (10_000, 60.0), (100_000, 300.0))


@dataclass(frozen=True, slots=True)
class Point:
    """`seconds` until the share of `weight` was served, in a run of `given` seconds."""

    pupils: int
    seconds: float
    weight: int
    given: float


@dataclass(frozen=True, slots=True)
class Fit:
    """seconds = factor * pupils ** exponent"""

    exponent: float
    factor: float

    def seconds(self, pupils: float) -> float:
        return float(self.factor * pupils**self.exponent)


def fit(points: Sequence[Point]) -> Fit:
    """The line through at least two points on logarithmic axes."""
    slope, intercept = linear_regression(
        [math.log(point.pupils) for point in points],
        [math.log(max(point.seconds, LEAST_SECONDS)) for point in points],
    )
    return Fit(slope, math.exp(intercept))


def seconds_given(pupils: int) -> float:
    """How long a problem of this size is searched; the ends are drawn out for other sizes."""
    pairs = GIVEN[:2] if pupils <= GIVEN[1][0] else GIVEN[1:]
    (small, short), (large, long) = pairs
    share = math.log(pupils / small) / math.log(large / small)
    return float(short * (long / short) ** share)


def measure(sizes: Sequence[int]) -> Iterator[Point]:
    """Generate, solve and read off, size by size; raises SystemExit if a plan breaks a rule."""
    # The first may compile, and any may be disturbed.
    pause = min(loading(_solved(sizes[0], "--iterations", "1").lines) for _ in range(3))
    for pupils in sizes:
        given = seconds_given(pupils)
        run = _solved(pupils, "--seconds", f"{given:.0f}")
        took = reached(run, SHARE)
        seconds = given if took is None else max(LEAST_SECONDS, took - pause)
        yield Point(pupils, seconds, run.weight, given)


def _solved(pupils: int, *limit: str) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        problem = Path(folder) / f"{pupils}.json.gz"
        write(problem, generate(Shape(pupils)))
        run = solve(problem, *limit, "--levels", "1")
    if run.violations:
        raise SystemExit(f"{pupils} pupils: {run.violations[0]}")
    return run


def report(points: Sequence[Point]) -> Iterator[str]:
    """The points, and the exponent beside its goal."""
    for point in points:
        yield (
            f"  {point.pupils:>7} pupils: {point.seconds:>7.2f} s to {SHARE:.0%} of"
            f" {point.weight} (run of {point.given:.0f} s)"
        )
    if len(points) > 1:
        exponent = fit(points).exponent
        verdict = "met" if exponent <= MOST_EXPONENT else f"missed, {MOST_EXPONENT} wanted"
        yield f"  grows as n^{exponent:.2f}: {verdict}"


def draw(points: Sequence[Point], path: Path) -> None:
    """Draw the points and the line through them; an .svg has the same bytes for the same points."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    line = fit(points)
    with pyplot.rc_context({"svg.hashsalt": "growth", "svg.fonttype": "none"}):
        figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
        sizes = [point.pupils for point in points]
        axes.loglog(sizes, [max(p.seconds, LEAST_SECONDS) for p in points], "o", label="measured")
        axes.loglog(sizes, [line.seconds(n) for n in sizes], "--", label=f"~ n^{line.exponent:.2f}")
        axes.set_xlabel("pupils")
        axes.set_ylabel(f"seconds to {SHARE:.0%} of the final weight")
        axes.grid(visible=True, which="major", alpha=0.3)
        axes.legend()
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
        pyplot.close(figure)


def main(arguments: Sequence[str]) -> int:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.growth",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="PUPILS")
    parser.add_argument("--draw", type=Path, metavar="FILE", help=".svg or .png")
    options = parser.parse_args(arguments)
    points = list(measure(options.sizes))
    for line in report(points):
        print(line, flush=True)
    if options.draw:
        draw(points, options.draw)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
