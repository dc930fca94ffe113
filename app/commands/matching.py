"""`flask match`: runs, from asking for one to publishing it."""

from __future__ import annotations

import time

import click
from flask import current_app
from flask.cli import AppGroup

from app.commands.options import by_option, named, refusals_in_one_line
from app.extensions import db
from app.models import MatchRun
from app.services import choices, publishing, runs

match_commands = AppGroup("match", help="Match runs, from asking for one to publishing it.")

_LOOK_EVERY_SECONDS = 0.5
_DAY_AND_HOUR = 2


@match_commands.command("start")
@click.option("--seconds", type=int, help="How long to search at most.")
@click.option("--seed", type=int, default=0)
@click.option("--iterations", type=int, help="Search by steps, not by the clock: repeatable.")
@click.option("--wait", is_flag=True, help="Come back when the worker has ended it.")
@by_option
def start(
    seconds: int | None, seed: int, iterations: int | None, wait: bool, email: str | None
) -> None:
    """File a run for the worker; prints its number."""
    limit = current_app.config["N9RAW"].solve_seconds if seconds is None else seconds
    with refusals_in_one_line():
        run = runs.start_run(named(email), seconds=limit, seed=seed, iterations=iterations)
        _print(_awaited(run) if wait else run)


@match_commands.command("repair")
@click.option(
    "--may-move", type=int, default=0, help="At most so many places in force may change (0)."
)
@click.option("--wait", is_flag=True, help="Come back when the worker has ended it.")
@by_option
def repair(may_move: int, wait: bool, email: str | None) -> None:
    """File a repair: places for those who wait, the others stay; prints its number."""
    with refusals_in_one_line():
        run = runs.start_repair(named(email), may_move=may_move)
        _print(_awaited(run) if wait else run)


@match_commands.command("list")
def list_runs() -> None:
    """Print the newest runs: number, state, weight served, bound."""
    for run in runs.list_runs(20):
        _print(run)


@match_commands.command("cancel")
@click.argument("number", type=int)
@by_option
def cancel(number: int, email: str | None) -> None:
    """End a run now; it keeps the best plan that it has."""
    with refusals_in_one_line():
        _print(runs.cancel_run(number, named(email)))


@match_commands.command("publish")
@click.argument("number", type=int)
@click.option("--dry-run", is_flag=True, help="Only say what would be added.")
@by_option
def publish(number: int, dry_run: bool, email: str | None) -> None:
    """Offer a run's groups to their tutors."""
    with refusals_in_one_line():
        preview = publishing.preview_publication(number)
        if not dry_run:
            publishing.publish_run(number, named(email))
    click.echo(
        f"new groups: {preview.new_groups}, groups joined: {preview.joined_groups}, "
        f"requests: {preview.requests}, places ended: {len(preview.leaving)}, "
        f"groups kept: {preview.kept}"
    )


@match_commands.command("undo")
@click.argument("number", type=int)
@by_option
def undo(number: int, email: str | None) -> None:
    """Take a publication back, as long as no family was told of it."""
    with refusals_in_one_line():
        publishing.undo_publication(number, named(email))
        _print(runs.get_run(number))


@match_commands.command("again")
@click.argument("number", type=int)
@click.option("--wait", is_flag=True, help="Come back when the worker has ended it.")
@by_option
def again(number: int, wait: bool, email: str | None) -> None:
    """File a run like an earlier one, keeping the pins and vetoes of now."""
    with refusals_in_one_line():
        run = runs.solve_again(number, named(email))
        _print(_awaited(run) if wait else run)


@match_commands.command("pin")
@click.argument("request", type=int)
@click.argument("tutor", type=int)
@click.option("--start", "starts", multiple=True, help='Each weekly start, such as "mon 18:30".')
@click.option("--channel")
@click.option("--language")
@by_option
def pin(
    request: int,
    tutor: int,
    starts: tuple[str, ...],
    channel: str | None,
    language: str | None,
    email: str | None,
) -> None:
    """Keep a place of a request with a tutor; what is not said, each run may choose."""
    weekly = [start.split() for start in starts]
    if any(len(start) != _DAY_AND_HOUR for start in weekly):
        raise click.UsageError('--start takes a day and an hour, such as "mon 18:30".')
    with refusals_in_one_line():
        place = choices.Place(tutor, weekly or None, channel, language)
        (kept,) = choices.pin([request], place, named(email))
        click.echo(kept.id)


@match_commands.command("unpin")
@click.argument("number", type=int)
@by_option
def unpin(number: int, email: str | None) -> None:
    """Keep a place no longer."""
    with refusals_in_one_line():
        choices.unpin(number, named(email))


@match_commands.command("veto")
@click.argument("request", type=int)
@click.argument("tutor", type=int)
@click.option("--reason", required=True)
@by_option
def veto(request: int, tutor: int, reason: str, email: str | None) -> None:
    """Keep a request and a tutor apart in every later run."""
    with refusals_in_one_line():
        click.echo(choices.rule_out(request, tutor, reason, named(email)).id)


@match_commands.command("unveto")
@click.argument("number", type=int)
@by_option
def unveto(number: int, email: str | None) -> None:
    """Let a request and a tutor be put together again."""
    with refusals_in_one_line():
        choices.take_veto_back(number, named(email))


@match_commands.command("choices")
def list_choices() -> None:
    """Print pins, then vetoes: which, number, request, tutor, place or reason."""
    page = 1
    while True:
        listed = choices.list_choices(page)
        for entry in listed.pins:
            kept = entry.pin
            starts = ", ".join(" ".join(start) for start in kept.starts or ())
            place = f"{starts}\t{kept.channel or ''}\t{kept.language or ''}"
            click.echo(f"pin\t{kept.id}\t{kept.request_id}\t{kept.tutor_id}\t{place}")
        for row in listed.vetoes:
            click.echo(f"veto\t{row.id}\t{row.request_id}\t{row.tutor_id}\t{row.reason}")
        if page >= listed.page.pages:
            return
        page += 1


def _awaited(run: MatchRun) -> MatchRun:
    """The run once the worker has ended it."""
    while run.state in runs.ACTIVE:
        time.sleep(_LOOK_EVERY_SECONDS)
        db.session.rollback()
        run = runs.get_run(run.id)
    return run


def _print(run: MatchRun) -> None:
    click.echo(f"{run.id}\t{run.state.value}\t{run.best_weight}\t{run.bound_weight}")
