"""`flask match`: runs, from asking for one to publishing it."""

from __future__ import annotations

import time

import click
from flask import current_app
from flask.cli import AppGroup

from app.commands.options import by_option, named, refusals_in_one_line
from app.extensions import db
from app.models import MatchRun
from app.services import publishing, runs

match_commands = AppGroup("match", help="Match runs, from asking for one to publishing it.")

_LOOK_EVERY_SECONDS = 0.5


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
    """Take a publication back, as long as no offer has been answered."""
    with refusals_in_one_line():
        publishing.undo_publication(number, named(email))
        _print(runs.get_run(number))


def _awaited(run: MatchRun) -> MatchRun:
    """The run once the worker has ended it."""
    while run.state in runs.ACTIVE:
        time.sleep(_LOOK_EVERY_SECONDS)
        db.session.rollback()
        run = runs.get_run(run.id)
    return run


def _print(run: MatchRun) -> None:
    click.echo(f"{run.id}\t{run.state.value}\t{run.best_weight}\t{run.bound_weight}")
