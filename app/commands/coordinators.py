"""`flask coordinator`: the accounts of the staff."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.services import second_factor
from app.services.coordinators import add_coordinator, change_password
from app.services.errors import ServiceError
from app.services.people import zones_called

coordinator_commands = AppGroup("coordinator", help="Accounts of coordinators.")

_password = click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Asked if not given."
)


@coordinator_commands.command("add")
@click.argument("email")
@click.argument("name")
@click.option("--all-zones", is_flag=True, help="Of all zones, but no administrator.")
@click.option("--zone", "zones", multiple=True, help="Of this zone alone; may be repeated.")
@_password
def add(email: str, name: str, all_zones: bool, zones: tuple[str, ...], password: str) -> None:
    """Add a coordinator, who signs in with EMAIL: an administrator, unless told otherwise."""
    try:
        zone_ids = zones_called(zones) if zones and not all_zones else None
        is_administrator = not (all_zones or zones)
        coordinator = add_coordinator(
            email, name, password, is_administrator=is_administrator, zone_ids=zone_ids
        )
    except ServiceError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{coordinator.name} <{coordinator.email}>")


@coordinator_commands.command("password")
@click.argument("email")
@_password
def password(email: str, password: str) -> None:
    """Give the coordinator with EMAIL a new password; it ends their sessions."""
    try:
        change_password(email, password)
    except ServiceError as error:
        raise click.ClickException(str(error)) from error


@coordinator_commands.command("reset-totp")
@click.argument("email")
def reset_totp(email: str) -> None:
    """Let the coordinator with EMAIL set up a new authenticator app; it ends their sessions."""
    try:
        second_factor.reset(email)
    except ServiceError as error:
        raise click.ClickException(str(error)) from error
