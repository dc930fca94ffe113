"""`flask family-link`: a family's secret address."""

from __future__ import annotations

import click
from flask import current_app
from flask.cli import with_appcontext

from app.services.errors import ServiceError
from app.services.family_links import household_by_phone, make_link


@click.command("family-link")
@click.argument("phone")
@with_appcontext
def family_link_command(phone: str) -> None:
    """Make the link of the family with telephone PHONE; it ends the one before."""
    address = current_app.config["N9RAW"].public_url
    if address is None:
        raise click.ClickException("N9RAW_PUBLIC_URL must say where families reach the program.")
    try:
        _household, token = make_link(household_by_phone(phone).id, None)
    except ServiceError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{address}/f/{token}")
