"""`flask group` and `flask lesson`: answers to offers, and dated lessons."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from app.commands.options import by_option, named, refusals_in_one_line
from app.models import Group, Lesson
from app.services import changes, groups, lessons
from app.services.scope import EVERYWHERE

group_commands = AppGroup("group", help="Groups that are offered or active.")
lesson_commands = AppGroup("lesson", help="Dated lessons.")


@group_commands.command("list")
def list_groups() -> None:
    """Print the groups that are offered or active: number, state, tutor, what, how many."""
    for group in groups.list_live_groups():
        _print_group(group)


@group_commands.command("accept")
@click.argument("number", type=int)
@by_option
def accept(number: int, email: str | None) -> None:
    """Record that the tutor accepts what is offered."""
    with refusals_in_one_line():
        _print_group(groups.accept_group(number, named(email)))


@group_commands.command("decline")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@by_option
def decline(number: int, reason: str, email: str | None) -> None:
    """Record that the tutor declines what is offered."""
    with refusals_in_one_line():
        _print_group(groups.decline_group(number, reason, named(email)))


@group_commands.command("end")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@by_option
def end(number: int, reason: str, email: str | None) -> None:
    """End a group: its pupils wait again, its coming lessons are cancelled."""
    with refusals_in_one_line():
        _print_group(groups.end_group(number, reason, named(email)))


@lesson_commands.command("list")
@click.option("--days", type=click.IntRange(1, 60), default=14, show_default=True)
def list_lessons(days: int) -> None:
    """Print the lessons of the coming days: number, state, wall time, tutor, what."""
    number, pages = 1, 1
    while number <= pages:
        listed, page = lessons.list_coming_lessons(days, EVERYWHERE, number)
        for lesson in listed:
            _print_lesson(lesson)
        number, pages = number + 1, page.pages


@lesson_commands.command("cancel")
@click.argument("number", type=int)
@click.option("--reason", required=True)
@by_option
def cancel(number: int, reason: str, email: str | None) -> None:
    """Cancel a lesson with its reminders."""
    with refusals_in_one_line():
        _print_lesson(changes.cancel_lesson(number, reason, named(email)))


@lesson_commands.command("extend")
def extend() -> None:
    """Make the lessons of the next four weeks, as the worker does each hour."""
    click.echo(lessons.extend_lessons())


def _print_group(group: Group) -> None:
    click.echo(
        f"{group.id}\t{group.state.value}\t{group.tutor.name}\t{group.subject.code} "
        f"{group.level.code}\t{len(group.members)}"
    )


def _print_lesson(lesson: Lesson) -> None:
    group = lesson.group
    click.echo(
        f"{lesson.id}\t{lesson.state.value}\t{lesson.wall_start:%Y-%m-%d %H:%M}\t"
        f"{group.tutor.name}\t{group.subject.code} {group.level.code}"
    )
