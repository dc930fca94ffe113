"""A pytest plugin: no test is skipped silently, and under CI none at all.

A skip's reason ends in `install: <command>`; the last lines of the output name each such command
and how many tests it would add.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say at the very end what was skipped and how to have it run."""
    counts = skip_reasons(terminalreporter)
    if not counts:
        return
    terminalreporter.write_line("")
    for reason, count in sorted(counts.items()):
        tests = "1 test" if count == 1 else f"{count} tests"
        terminalreporter.write_line(f"SKIPPED {tests}: {reason}", yellow=True)
    if _under_ci():
        terminalreporter.write_line("Under CI a skipped test is a failure.", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Under CI, a run with skipped tests fails."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    passed = exitstatus == pytest.ExitCode.OK
    if passed and _under_ci() and reporter and skip_reasons(reporter):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def skip_reasons(reporter: pytest.TerminalReporter) -> Counter[str]:
    """How many tests were skipped for each reason."""
    reports = reporter.stats.get("skipped", [])
    return Counter(_reason(report) for report in reports if not hasattr(report, "wasxfail"))


def _reason(report: pytest.TestReport) -> str:
    where_and_why = report.longrepr
    assert isinstance(where_and_why, tuple)
    return str(where_and_why[2]).removeprefix("Skipped: ")


def _under_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")
