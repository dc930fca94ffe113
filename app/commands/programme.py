"""`flask programme`: the subjects, levels, channels, languages and needs of a new programme."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.services.programme import PROGRAMME_FILE, load_programme

programme_commands = AppGroup("programme", help="What the programme offers.")


@programme_commands.command("load")
def load() -> None:
    """Add what app/data/programme.toml lists and the database lacks; nothing is changed."""
    load_programme()
    click.echo(f"Loaded {PROGRAMME_FILE.name}.")
