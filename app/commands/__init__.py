"""The `flask` commands, one file a subject; what a page can do, a shell can too."""

from __future__ import annotations

from flask import Flask

from app.commands.coordinators import coordinator_commands
from app.commands.family_links import family_link_command
from app.commands.gateways import gateway_commands
from app.commands.groups import group_commands, lesson_commands
from app.commands.imports import import_commands
from app.commands.matching import match_commands
from app.commands.programme import programme_commands
from app.commands.tutors import tutor_commands
from app.commands.worker import worker_command


def register_commands(app: Flask) -> None:
    """Register every command."""
    app.cli.add_command(coordinator_commands)
    app.cli.add_command(family_link_command)
    app.cli.add_command(gateway_commands)
    app.cli.add_command(group_commands)
    app.cli.add_command(import_commands)
    app.cli.add_command(lesson_commands)
    app.cli.add_command(match_commands)
    app.cli.add_command(programme_commands)
    app.cli.add_command(tutor_commands)
    app.cli.add_command(worker_command)
