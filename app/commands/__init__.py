"""The `flask` commands, one file a subject; what a page can do, a shell can too."""

from __future__ import annotations

from flask import Flask

from app.commands.coordinators import coordinator_commands
from app.commands.imports import import_commands
from app.commands.programme import programme_commands
from app.commands.worker import worker_command


def register_commands(app: Flask) -> None:
    """Register every command."""
    app.cli.add_command(coordinator_commands)
    app.cli.add_command(import_commands)
    app.cli.add_command(programme_commands)
    app.cli.add_command(worker_command)
