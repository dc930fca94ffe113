"""`flask gateway`: what is configured, and whether it works."""

from __future__ import annotations

import time

import click
from flask import current_app
from flask.cli import AppGroup

from app.commands.options import refusals_in_one_line
from app.i18n import _
from app.models import MessageState
from app.services import gateway_checks
from app.services.gateway_checks import Progress
from scheduler import clock

gateway_commands = AppGroup("gateway", help="The ways by which messages leave.")

_LOOK_EVERY_SECONDS = 0.2
_LOST = (
    MessageState.UNDELIVERED,
    MessageState.FAILED,
    MessageState.EXPIRED,
    MessageState.CANCELLED,
    MessageState.SUPPRESSED,
)


@gateway_commands.command("list")
def list_gateways() -> None:
    """Print what is configured: name, whom it reaches, texts a second and at once, quiet hours,
    dirhams for a short text, whether answers come in.
    """
    for gateway in gateway_checks.list_gateways():
        quiet = gateway.quiet
        parts = (
            gateway.name,
            ",".join(gateway.reaches),
            "-" if gateway.per_second is None else f"{gateway.per_second:g}/s",
            str(gateway.sends_at_once),
            "-" if quiet is None else f"{quiet[0]:%H:%M}-{quiet[1]:%H:%M}",
            f"{gateway.cost('a').thousandths / 1000:.2f}",
            "answers" if gateway.can_receive else "-",
        )
        click.echo("\t".join(parts))


@gateway_commands.command("check")
@click.argument("name")
@click.option("--to", required=True, help="Your own telephone number, or e-mail address.")
@click.option("--language", type=click.Choice(["fr", "ar", "ary"]), default="fr")
@click.option(
    "--wait", type=click.FloatRange(0.1, 3600), default=120.0, help="Seconds to wait for a receipt."
)
def check(name: str, to: str, language: str, wait: float) -> None:
    """Send one test text by a gateway and print each step, up to its receipt: time, state, reason.

    It ends with 1 where the text is refused or does not arrive, or no receipt comes.
    """
    with refusals_in_one_line():
        number = gateway_checks.plan_check(name, to, language)
    until = time.monotonic() + wait
    last: Progress | None = None
    while True:
        progress = gateway_checks.progress_of(number)
        if progress != last:
            last = progress
            _print(progress)
        if _is_over(name, progress):
            return
        if time.monotonic() >= until:
            raise click.ClickException(_no_receipt(name, wait, progress))
        gateway_checks.deliver_check(number)
        time.sleep(_LOOK_EVERY_SECONDS)


def _print(progress: Progress) -> None:
    now = clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone)
    step = f"{now:%H:%M:%S}.{now.microsecond // 1000:03}\t{progress.state}"
    click.echo(f"{step}\t{progress.reason}" if progress.reason else step)


def _is_over(name: str, progress: Progress) -> bool:
    """Whether nothing is left to wait for; fails where the text is lost."""
    if progress.state in _LOST:
        reason = progress.reason or progress.state
        raise click.ClickException(
            _("%(gateway)s did not bring it: %(reason)s", gateway=name, reason=reason)
        )
    if progress.state is MessageState.ACCEPTED:
        return not gateway_checks.brings_receipts(name)
    return progress.state is MessageState.DELIVERED


def _no_receipt(name: str, wait: float, last: Progress) -> str:
    if last.state is MessageState.ACCEPTED:
        return _(
            "%(gateway)s took it, but no receipt came within %(seconds)s seconds. Is the web "
            "process running, and can the other side reach it?",
            gateway=name,
            seconds=f"{wait:g}",
        )
    return _(
        "%(gateway)s had not taken it within %(seconds)s seconds: %(reason)s",
        gateway=name,
        seconds=f"{wait:g}",
        reason=last.reason or last.state,
    )
