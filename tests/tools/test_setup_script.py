"""tools/setup.sh, run in a folder of its own with Pythons made for the purpose."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

OLD_PYTHON = """#!/bin/sh
case "$2" in
    *print*) echo 3.9.2 ;;
    *) exit 1 ;;
esac
"""

# Debian's python3 without python3-venv: venv is there, ensurepip is not.
PYTHON_WITHOUT_VENV = """#!/bin/sh
case "$2" in
    *ensurepip*) exit 1 ;;
    *) exec "{python}" "$@" ;;
esac
"""

PYTHON_THAT_SHOWS_CALLS = """#!/bin/sh
case "$2" in
    *print*) echo 3.11.7 ;;
    *) echo "called: $*" ;;
esac
"""

# Stands for the venv's Python: pip notes what it was asked to install and does as told.
VENV_PYTHON = """#!/bin/sh
echo "$@" >>calls
case "$*" in
    *install*) exit $(cat pip-exit-code) ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with the setup script and small requirement files."""
    folder = tmp_path / "a checkout"  # a space, as people's folders have
    (folder / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools" / "setup.sh", folder / "tools")
    (folder / "requirements.txt").write_text("flask==3.1.3\n")
    (folder / "requirements-dev.txt").write_text("pytest==9.2.0\n")
    (folder / "requirements-bench.txt").write_text("scipy==1.17.1\n")
    return folder


@pytest.fixture
def installed(checkout: Path) -> Path:
    """A checkout whose .venv exists, with a pip that only notes its calls."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    write_program(checkout / ".venv" / "bin" / "python", VENV_PYTHON)
    (checkout / "pip-exit-code").write_text("0")
    return checkout


def write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def set_up(checkout: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {"PATH": os.environ["PATH"], **env}
    script = checkout / "tools" / "setup.sh"
    return subprocess.run(
        [script, *arguments], env=clean, cwd="/", capture_output=True, text=True, check=False
    )


def path_with(*names: str) -> str:
    """A PATH on which `names` are the only Pythons: what the script needs is linked beside them."""
    folder = Path(names[0]).parent if names else Path()
    for tool in ("sh", "dirname", "cat", "cmp", "grep", "mv", "find"):
        program = shutil.which(tool)
        assert program
        (folder / tool).symlink_to(program)
    return str(folder)


def installs(checkout: Path) -> list[str]:
    calls = (checkout / "calls").read_text().splitlines()
    return [call.partition("--no-input ")[2] for call in calls if "install" in call]


def test_too_old_python_is_one_line(checkout: Path, tmp_path: Path) -> None:
    old = write_program(tmp_path / "bin" / "python3", OLD_PYTHON)
    result = set_up(checkout, PATH=path_with(str(old)))
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == (
        "N9raw needs Python 3.11 or newer, found python3 is 3.9.2: install one "
        "(Debian, Ubuntu: apt install python3 python3-venv) "
        "or name one: make PYTHON=/path/to/python3.11\n"
    )


def test_missing_python_is_one_line(checkout: Path, tmp_path: Path) -> None:
    not_a_python = write_program(tmp_path / "bin" / "something", "")
    result = set_up(checkout, PATH=path_with(str(not_a_python)))
    assert result.returncode == 1
    assert result.stderr.startswith("N9raw needs Python 3.11 or newer, found none: install one")
    assert result.stderr.count("\n") == 1


def test_named_python_is_checked_even_when_the_venv_exists(installed: Path, tmp_path: Path) -> None:
    old = write_program(tmp_path / "old python", OLD_PYTHON)
    result = set_up(installed, PYTHON=str(old))
    assert result.returncode == 1
    assert f"found {old} is 3.9.2" in result.stderr
    assert result.stderr.count("\n") == 1


def test_named_python_that_does_not_exist_is_one_line(checkout: Path) -> None:
    result = set_up(checkout, PYTHON="/nowhere/python3.11")
    assert result.returncode == 1
    assert "found /nowhere/python3.11 doesn't run" in result.stderr
    assert result.stderr.count("\n") == 1


def test_missing_venv_module_is_one_line(checkout: Path, tmp_path: Path) -> None:
    text = PYTHON_WITHOUT_VENV.format(python=sys.executable)
    python = write_program(tmp_path / "python3.11", text)
    result = set_up(checkout, PYTHON=str(python))
    version = "{}.{}.{}".format(*sys.version_info[:3])
    assert result.returncode == 1
    assert result.stderr == (
        f"{python} ({version}) has no venv module: "
        "install it (Debian, Ubuntu: apt install python3-venv)\n"
    )
    assert not (checkout / ".venv").exists()


def test_same_requirements_are_installed_once(installed: Path) -> None:
    first = set_up(installed)
    second = set_up(installed)
    assert first.stdout == "Installing requirements.txt into .venv (a few minutes the first time)\n"
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert installs(installed) == ["-r requirements.txt"]


def test_changed_requirements_are_installed_again(installed: Path) -> None:
    set_up(installed)
    (installed / "requirements.txt").write_text("flask==3.1.4\n")
    set_up(installed)
    assert installs(installed) == ["-r requirements.txt", "-r requirements.txt"]


def test_tests_need_their_own_requirements(installed: Path) -> None:
    set_up(installed)
    set_up(installed, "test")
    set_up(installed, "test")
    assert installs(installed) == [
        "-r requirements.txt",
        "-r requirements.txt -r requirements-dev.txt -r requirements-bench.txt",
    ]


def test_benchmarks_need_their_own_requirements(installed: Path) -> None:
    set_up(installed)
    set_up(installed, "bench")
    set_up(installed, "bench")
    assert installs(installed) == [
        "-r requirements.txt",
        "-r requirements.txt -r requirements-bench.txt",
    ]


@pytest.mark.parametrize("kind", ["run", "bench"])
def test_what_tests_need_is_enough_for_the_rest(installed: Path, kind: str) -> None:
    set_up(installed, "test")
    set_up(installed, kind)
    assert len(installs(installed)) == 1


def test_failed_installation_is_repeated(installed: Path) -> None:
    (installed / "pip-exit-code").write_text("1")
    failed = set_up(installed)
    (installed / "pip-exit-code").write_text("0")
    repeated = set_up(installed)
    assert failed.returncode == 1
    assert failed.stderr == (
        "Installing requirements.txt failed, see above; "
        "it goes on where it stopped when you try again.\n"
    )
    assert repeated.returncode == 0
    assert len(installs(installed)) == 2


def test_moved_checkout_makes_its_venv_again(installed: Path, tmp_path: Path) -> None:
    set_up(installed)
    moved = installed.rename(tmp_path / "moved")
    python = write_program(tmp_path / "python3.11", PYTHON_THAT_SHOWS_CALLS)
    result = set_up(moved, PYTHON=str(python))
    assert "called: -m venv --clear .venv" in result.stdout


def test_catalogues_are_compiled_when_older_than_their_source(installed: Path) -> None:
    folder = installed / "app" / "translations" / "ar" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    source = folder / "messages.po"
    compiled = folder / "messages.mo"
    source.touch()
    set_up(installed)
    assert set_up(installed).stdout == "Compiling the translations\n"
    compiled.touch()
    os.utime(source, (1, 1))
    assert set_up(installed).stdout == ""
    os.utime(compiled, (0, 0))
    assert set_up(installed).stdout == "Compiling the translations\n"


def test_linked_venv_serves_as_it_is(installed: Path, tmp_path: Path) -> None:
    set_up(installed)
    other = tmp_path / "other"
    shutil.copytree(installed, other, ignore=shutil.ignore_patterns(".venv", "calls"))
    (other / ".venv").symlink_to(installed / ".venv")
    result = set_up(other)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_broken_linked_venv_is_replaced_and_not_emptied(installed: Path, tmp_path: Path) -> None:
    write_program(installed / ".venv" / "bin" / "python", "#!/bin/sh\nexit 1\n")
    other = tmp_path / "other"
    shutil.copytree(installed, other, ignore=shutil.ignore_patterns(".venv"))
    (other / ".venv").symlink_to(installed / ".venv")
    python = write_program(tmp_path / "python3.11", PYTHON_THAT_SHOWS_CALLS)
    set_up(other, PYTHON=str(python))
    assert not (other / ".venv").exists()
    assert (installed / ".venv" / "bin" / "python").exists()
