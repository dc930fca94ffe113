"""No test is skipped silently: the plugin tests/support/skips.py, on a run of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TESTS = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_in_browser(number):
    pytest.skip("no Chromium; install: apt-get install chromium")

def test_otherwise():
    pass
"""


def run_tests(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_some.py").write_text(TESTS)
    inherited = {name: value for name, value in os.environ.items() if name != "CI"}
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.skips", "--rootdir", folder]
    command += ["-c", os.devnull, "-p", "no:cacheprovider", folder]
    return subprocess.run(
        command, cwd=ROOT, env={**inherited, **env}, capture_output=True, text=True, check=False
    )


def test_last_line_says_how_to_run_what_was_skipped(tmp_path: Path) -> None:
    result = run_tests(tmp_path)
    assert result.returncode == pytest.ExitCode.OK
    assert result.stdout.splitlines()[-1] == (
        "SKIPPED 2 tests: no Chromium; install: apt-get install chromium"
    )


def test_under_ci_a_skip_is_a_failure(tmp_path: Path) -> None:
    result = run_tests(tmp_path, CI="true")
    assert result.returncode == pytest.ExitCode.TESTS_FAILED
    assert result.stdout.splitlines()[-1] == "Under CI a skipped test is a failure."
