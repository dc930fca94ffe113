"""`flask tutor`: volunteers, their vetting, their pauses and their leaving."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import click
from flask.cli import AppGroup
from sqlalchemy import select

from app.commands.options import by_option, named, refusals_in_one_line
from app.extensions import db
from app.models import Tutor, TutorState
from app.services import departures
from app.services.coordinators import find_coordinator
from app.services.departures import Departure
from app.services.suspension import lift_suspension, suspend_tutor
from app.services.vetting import VettingChecks, vet_tutor

tutor_commands = AppGroup("tutor", help="Volunteers, their vetting, pauses and leaving.")


def _day_option(name: str, help_text: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(name, type=click.DateTime(["%Y-%m-%d"]), help=help_text)


dry_run_option = click.option("--dry-run", is_flag=True, help="Only say what would end.")


@tutor_commands.command("list")
@click.option("--state", type=click.Choice([state.value for state in TutorState]))
def list_tutors(state: str | None) -> None:
    """Print the volunteers: number, state, name."""
    query = select(Tutor).order_by(Tutor.id)
    if state is not None:
        query = query.where(Tutor.state == TutorState(state))
    for tutor in db.session.scalars(query):
        _print(tutor)


@tutor_commands.command("vet")
@click.argument("numbers", type=int, nargs=-1, required=True)
@click.option("--by", "email", required=True, help="The coordinator who vouches for them.")
@_day_option("--identity", "When their identity was seen.")
@_day_option("--interview", "When they were interviewed.")
@_day_option("--certificate", "When their certificates of good conduct were seen.")
@_day_option("--charter", "When they accepted the charter, if not on a page themselves.")
def vet(
    numbers: tuple[int, ...],
    email: str,
    identity: datetime | None,
    interview: datetime | None,
    certificate: datetime | None,
    charter: datetime | None,
) -> None:
    """Vet the volunteers with these numbers, or renew, in the name of a coordinator."""
    seen = (_day(one) for one in (identity, interview, certificate, charter))
    checks = VettingChecks(*seen)
    with refusals_in_one_line():
        coordinator = find_coordinator(email)
        for number in numbers:
            click.echo(f"{vet_tutor(number, coordinator, checks).name}")


@tutor_commands.command("pause")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@dry_run_option
@by_option
def pause(number: int, reason: str, dry_run: bool, email: str | None) -> None:
    """Record that a volunteer pauses: the groups end, the pupils wait again."""
    with refusals_in_one_line():
        preview = departures.preview_departure(number)
        _print_departure(preview)
        if not dry_run:
            departures.pause_tutor(number, reason, named(email))


@tutor_commands.command("leave")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@dry_run_option
@by_option
def leave(number: int, reason: str, dry_run: bool, email: str | None) -> None:
    """Record that a volunteer has left: as a pause, and sign-in and vetting end too."""
    with refusals_in_one_line():
        preview = departures.preview_departure(number)
        _print_departure(preview)
        if not dry_run:
            departures.let_tutor_leave(number, reason, named(email))


@tutor_commands.command("return")
@click.argument("number", type=int)
@by_option
def take_back(number: int, email: str | None) -> None:
    """Take back a volunteer who pauses or has left; prints number, state, name."""
    with refusals_in_one_line():
        _print(departures.take_tutor_back(number, named(email)))


@tutor_commands.command("suspend")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@dry_run_option
@by_option
def suspend(number: int, reason: str, dry_run: bool, email: str | None) -> None:
    """Suspend a volunteer at once: sign-in, contacts, groups and vetting end, families are told."""
    with refusals_in_one_line():
        _print_departure(departures.preview_departure(number))
        if not dry_run:
            suspend_tutor(number, reason, named(email))


@tutor_commands.command("lift")
@click.argument("number", type=int)
@by_option
def lift(number: int, email: str | None) -> None:
    """Lift a suspension: the volunteer waits for vetting; prints number, state, name."""
    with refusals_in_one_line():
        _print(lift_suspension(number, named(email)))


def _day(moment: datetime | None) -> date | None:
    return None if moment is None else moment.date()


def _print(tutor: Tutor) -> None:
    click.echo(f"{tutor.id}\t{tutor.state.value}\t{tutor.name}")


def _print_departure(departure: Departure) -> None:
    click.echo(f"groups that end: {len(departure.groups)}, pupils: {len(departure.pupil_ids)}")
