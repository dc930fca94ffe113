"""`flask worker`: the process beside the web one."""

from __future__ import annotations

import logging

import click
from flask import current_app
from flask.cli import with_appcontext
from flask.logging import default_handler

from app.worker import run_worker


@click.command("worker")
@with_appcontext
def worker_command() -> None:
    """Solve match runs as they are asked for, until Ctrl-C or SIGTERM."""
    # Flask has given the logger called "app" a handler of its own: each line would stand twice.
    current_app.logger.removeHandler(default_handler)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    # It warns at each tick that is skipped because the one before is still at work, as is meant.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    run_worker(current_app._get_current_object())  # type: ignore[attr-defined]
