"""`flask programme`: the list of subjects, levels, channels and languages."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.services.programme import PROGRAMME_FILE, load_programme

programme_commands = AppGroup("programme", help="Subjects, levels, channels and languages.")


@programme_commands.command("load")
def load() -> None:
    """Bring the database to app/data/programme.toml; nothing is deleted."""
    load_programme()
    click.echo(f"Loaded {PROGRAMME_FILE.name}.")
