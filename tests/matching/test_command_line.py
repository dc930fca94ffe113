"""`python -m matching` as another program sees it: files, exit codes, signals, time, progress."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

INSTANCES = Path("benchmarks/instances")
PILOT = INSTANCES / "pilot-5.json.gz"
TEN_THOUSAND = INSTANCES / "k10.json.gz"


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "matching", *map(str, arguments)]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, timeout=100)


@pytest.fixture
def small(make: Any, tmp_path: Path) -> Path:
    path = tmp_path / "small.json"
    document = make.document([make.tutor()], [make.household()], [make.request()])
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_solved_file_passes_the_check(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    solving = run("solve", small, "--out", out)
    assert (solving.returncode, solving.stdout, solving.stderr) == (0, "", "")
    plan = json.loads(out.read_text(encoding="utf-8"))
    assert plan["status"] == "optimal"
    assert 0 < plan["seconds"] < 50
    checking = run("check", small, out)
    assert (checking.returncode, checking.stdout) == (0, "")


def test_check_prints_what_is_wrong(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    run("solve", small, "--out", out)
    plan = json.loads(out.read_text(encoding="utf-8"))
    plan["objective"]["kept"] = 3
    out.write_text(json.dumps(plan), encoding="utf-8")
    checking = run("check", small, out)
    assert checking.returncode == 1
    assert checking.stdout == "objective: kept: the plan says 3, it is 0\n"


def test_bad_input_is_one_line_and_exit_code_2(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    document = json.loads(small.read_text(encoding="utf-8"))
    document["tutors"][0]["available"] = [["mon", "20:00", "18:00"]]
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps(document), encoding="utf-8")
    for arguments, line in (
        (("solve", bad, "--out", out), f"{bad}: tutors[0].available[0]: ends before it starts\n"),
        (
            ("solve", tmp_path / "no", "--out", out),
            f"{tmp_path}/no: No such file or directory\n",
        ),
        (("check", small, bad), f"{bad}: lesson_minutes: unknown key\n"),
        (
            ("solve", small, "--out", tmp_path / "no" / "plan.json"),
            f"{tmp_path / 'no' / 'plan.json'}: no such folder to write to\n",
        ),
    ):
        done = run(*arguments)
        assert (done.returncode, done.stderr) == (2, line)
    assert not out.exists()


def test_iterations_give_the_same_bytes_twice(tmp_path: Path) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    for out in (first, second):
        assert run("solve", PILOT, "--out", out, "--iterations", 60).returncode == 0
    assert first.read_bytes() == second.read_bytes()
    plan = json.loads(first.read_bytes())
    assert plan["seconds"] is None
    assert plan["status"] == "feasible"
    assert run("check", PILOT, first).returncode == 0


def test_seconds_are_kept_from_process_start_to_plan(tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    began = time.monotonic()
    assert run("solve", PILOT, "--out", out, "--seconds", 3).returncode == 0
    assert time.monotonic() - began < 3.5
    plan = json.loads(out.read_bytes())
    assert plan["seconds"] <= 3
    assert plan["objective"]["weight_served"] == 158


def test_no_time_at_all_still_gives_a_plan(tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    assert run("solve", PILOT, "--out", out, "--seconds", 0).returncode == 0
    assert run("check", PILOT, out).returncode == 0


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("phase", ["reading", "zones"])
def test_signal_stops_the_search_and_keeps_the_plan(
    tmp_path: Path, ending: signal.Signals, phase: str
) -> None:
    out = tmp_path / "plan.json"
    process = subprocess.Popen(
        command("solve", PILOT, "--out", out, "--progress", "json"),
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            if json.loads(line)["phase"] == phase:
                break
        process.send_signal(ending)
        began = time.monotonic()
        rest = process.stderr.read()
        assert process.wait(10) == 0
    assert time.monotonic() - began < 3
    assert json.loads(rest.splitlines()[-1])["phase"] == "written"
    assert run("check", PILOT, out).returncode == 0


def test_progress_is_one_object_a_line_and_beats_every_half_second(tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    done = run("solve", PILOT, "--out", out, "--seconds", 4, "--progress", "json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert all(list(line) == ["phase", "best", "bound", "seconds"] for line in lines)
    phases = list(dict.fromkeys(line["phase"] for line in lines))
    assert phases[:4] == ["reading", "greedy", "weight_served", "zones"]
    assert phases[-3:] == ["advice", "checking", "written"]
    seconds = [line["seconds"] for line in lines]
    assert seconds == sorted(seconds)
    pauses = [later - earlier for earlier, later in itertools.pairwise(seconds)]
    assert max(pauses) < 1.5


def test_too_few_seconds_are_told_in_one_line(tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    done = run("solve", INSTANCES / "k1.json.gz", "--out", out, "--seconds", 0.1)
    assert done.returncode == 0
    seconds = json.loads(out.read_bytes())["seconds"]
    assert done.stderr == (
        f"took {seconds} s, not 0.1: a first plan, its reasons and its check need that long\n"
    )


@pytest.mark.slow
def test_ten_thousand_pupils_end_in_time_with_a_checked_plan(tmp_path: Path) -> None:
    out = tmp_path / "plan.json"
    began = time.monotonic()
    done = run("solve", TEN_THOUSAND, "--out", out, "--seconds", 30)
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 30
    assert run("check", TEN_THOUSAND, out).returncode == 0
    plan = json.loads(out.read_bytes())
    assert plan["objective"]["weight_served"] >= 15_526


@pytest.mark.slow
@pytest.mark.parametrize("phase", ["reading", "greedy", "reasons"])
def test_signal_to_a_large_problem_ends_soon_with_a_plan(tmp_path: Path, phase: str) -> None:
    out = tmp_path / "plan.json"
    process = subprocess.Popen(
        command("solve", TEN_THOUSAND, "--out", out, "--progress", "json"),
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stderr is not None
        for line in process.stderr:
            if json.loads(line)["phase"] == phase:
                break
        process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        rest = process.stderr.read()
        assert process.wait(30) == 0
    assert time.monotonic() - began < 20
    assert json.loads(rest.splitlines()[-1])["phase"] == "written"
    assert run("check", TEN_THOUSAND, out).returncode == 0


PARENT = """
import subprocess, sys, time
child = subprocess.Popen(sys.argv[1:], stderr=subprocess.PIPE)
child.stderr.readline()
print(child.pid, flush=True)
time.sleep(60)
"""


def test_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    solving = command("solve", PILOT, "--out", tmp_path / "plan.json", "--progress", "json")
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, *solving], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
    for _ in range(50):
        if not _alive(child):
            break
        time.sleep(0.1)
    assert not _alive(child)
    assert not (tmp_path / "plan.json").exists()


def _alive(process: int) -> bool:
    """Whether a process runs; one that ended and was not yet waited for does not."""
    try:
        os.kill(process, 0)
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8")
    except (ProcessLookupError, FileNotFoundError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
