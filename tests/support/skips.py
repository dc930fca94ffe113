"""A pytest plugin: no test is skipped silently, and under CI none at all.

A skip's reason ends in `install: <command>`; the last lines of the output name each such command
and how many tests it would add.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Under CI, a run with skipped tests fails."""
    passed = exitstatus == pytest.ExitCode.OK
    if passed and _under_ci() and _skip_reasons(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Say, below pytest's own last line, what was skipped and how to have it run."""
    reasons = _skip_reasons(config)
    if not reasons:
        return
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    for reason, count in sorted(reasons.items()):
        tests = "1 test" if count == 1 else f"{count} tests"
        reporter.write_line(f"SKIPPED {tests}: {reason}", yellow=True)
    if _under_ci():
        reporter.write_line("Under CI a skipped test is a failure.", red=True)


def _skip_reasons(config: pytest.Config) -> Counter[str]:
    """How many tests were skipped for each reason."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return Counter(_reason(report) for report in reports if not hasattr(report, "wasxfail"))


def _reason(report: pytest.TestReport) -> str:
    where_and_why = report.longrepr
    assert isinstance(where_and_why, tuple)
    return str(where_and_why[2]).removeprefix("Skipped: ")


def _under_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")
