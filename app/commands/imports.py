"""`flask import`: lists of pupils and volunteers from files."""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

import click
from flask.cli import AppGroup

from app.i18n import _, ngettext
from app.models import Coordinator, ListKind
from app.services.coordinators import find_coordinator
from app.services.errors import ServiceError
from app.services.imports import (
    BadRows,
    ImportReport,
    PlanChanged,
    RowReport,
    Status,
    apply_import,
    plan_import,
)

_UNPRINTED = ("Cc", "Cf", "Zl", "Zp")

import_commands = AppGroup("import", help="Lists of pupils and volunteers, from spreadsheets.")


def _import_command(kind: ListKind, text: str) -> None:
    """Add the command for one kind of list."""

    @import_commands.command(kind.value, help=text)
    @click.argument("file")
    @click.option("--dry-run", is_flag=True, help="Say what would change, and store nothing.")
    @click.option("--leave-out-bad", is_flag=True, help="Store the good rows, leave the bad out.")
    @click.option("--by", "email", help="The coordinator who answers for it; else nobody is named.")
    def command(file: str, dry_run: bool, leave_out_bad: bool, email: str | None) -> None:
        content = _read(file)
        try:
            by = None if email is None else find_coordinator(email)
            report = _run(kind, content, by, dry_run=dry_run, leave_out_bad=leave_out_bad)
        except ServiceError as error:
            if isinstance(error, BadRows | PlanChanged):
                _print(error.report)
            raise click.ClickException(str(error)) from error
        _print(report)
        refused = not report.readable or (report.count(Status.BAD) and not leave_out_bad)
        if refused:
            raise click.ClickException(str(BadRows(report)))
        click.echo(_("Nothing was stored: this was a dry run.") if dry_run else _("Stored."))


def _run(
    kind: ListKind, content: bytes, by: Coordinator | None, *, dry_run: bool, leave_out_bad: bool
) -> ImportReport:
    if dry_run:
        return plan_import(kind, content)
    return apply_import(kind, content, by, leave_out_bad=leave_out_bad)


_import_command(ListKind.PUPILS, 'Import the pupils of FILE ("-" reads standard input).')
_import_command(ListKind.VOLUNTEERS, 'Import the volunteers of FILE ("-" reads standard input).')


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from error


def _print(report: ImportReport) -> None:
    for problem in report.problems:
        _say(str(problem))
    for note in report.notes:
        _say(note)
    for row in report.rows:
        _print_row(row)
    for heading in report.ignored_columns:
        _say(_("The column “%(heading)s” is not known and is left out.", heading=heading))
    for zone in report.new_zones:
        _say(_("A new zone: %(name)s. Check its spelling.", name=zone))
    for family in report.families:
        _say(
            _(
                "The family with the telephone %(phone)s changes, and with it these children, who "
                "are not in the list: %(names)s.",
                phone=family.phone,
                names=", ".join(family.siblings),
            )
        )
    for line in report.effects.lines():
        _say(line)
    if report.readable:
        _say(_counts(report))


def _print_row(row: RowReport) -> None:
    for problem in row.problems:
        _say(str(problem))
    values = {"row": row.number, "name": row.name}
    if row.status is Status.NEW:
        _say(_("Row %(row)d, %(name)s: new", **values))
    elif row.status is Status.CHANGED:
        changes = "; ".join(f"{change.column} {change}" for change in row.changes)
        _say(_("Row %(row)d, %(name)s: changed: %(changes)s", changes=changes, **values))


def _counts(report: ImportReport) -> str:
    bad, new, changed, same = (
        report.count(status) for status in (Status.BAD, Status.NEW, Status.CHANGED, Status.SAME)
    )
    return " · ".join(
        (
            ngettext("%(num)d bad row", "%(num)d bad rows", bad),
            ngettext("%(num)d new row", "%(num)d new rows", new),
            ngettext("%(num)d changed row", "%(num)d changed rows", changed),
            ngettext("%(num)d row as before", "%(num)d rows as before", same),
        )
    )


def _say(text: str) -> None:
    """Print a line that holds cells of a file: nothing in it may drive the terminal."""
    click.echo("".join("�" if unicodedata.category(sign) in _UNPRINTED else sign for sign in text))
