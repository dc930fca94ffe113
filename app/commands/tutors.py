"""`flask tutor`: volunteers and their vetting."""

from __future__ import annotations

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.commands.options import refusals_in_one_line
from app.extensions import db
from app.models import Tutor, TutorState
from app.services.coordinators import find_coordinator
from app.services.vetting import vet_tutor

tutor_commands = AppGroup("tutor", help="Volunteers and their vetting.")


@tutor_commands.command("list")
@click.option("--state", type=click.Choice([state.value for state in TutorState]))
def list_tutors(state: str | None) -> None:
    """Print the volunteers: number, state, name."""
    query = select(Tutor).order_by(Tutor.id)
    if state is not None:
        query = query.where(Tutor.state == TutorState(state))
    for tutor in db.session.scalars(query):
        click.echo(f"{tutor.id}\t{tutor.state.value}\t{tutor.name}")


@tutor_commands.command("vet")
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.option("--by", "email", required=True, help="The coordinator who vouches for them.")
def vet(numbers: tuple[int, ...], email: str) -> None:
    """Vet the volunteers with these numbers, in the name of a coordinator."""
    with refusals_in_one_line():
        coordinator = find_coordinator(email)
        for number in numbers:
            click.echo(f"{vet_tutor(number, coordinator).name}")
