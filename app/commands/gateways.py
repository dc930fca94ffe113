"""`flask gateway`: what is configured, and whether it works."""

from __future__ import annotations

import time
from datetime import datetime

import click
from flask import current_app
from flask.cli import AppGroup

from app.commands.options import refusals_in_one_line
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
_WORDS = {
    MessageState.PLANNED: "it waits for its turn, or to be tried again",
    MessageState.CLAIMED: "a worker has taken it up",
    MessageState.HANDING: "it is being handed over",
    MessageState.ACCEPTED: "the gateway has taken it",
    MessageState.DELIVERED: "it arrived",
    MessageState.UNDELIVERED: "it did not arrive",
    MessageState.FAILED: "it was refused for good",
    MessageState.EXPIRED: "it could not leave in time",
    MessageState.CANCELLED: "it was cancelled",
    MessageState.SUPPRESSED: "it was held back",
}


@gateway_commands.command("list")
def list_gateways() -> None:
    """Print what is configured: name, whom it reaches, rate, quiet hours, price, answers."""
    for gateway in gateway_checks.list_gateways():
        click.echo(
            f"{gateway.name}: {', '.join(gateway.reaches)}; "
            f"{_rate(gateway.per_second)}, {gateway.sends_at_once} at once; "
            f"{_quiet(gateway.quiet)}; {gateway.cost('a').thousandths / 1000:.2f} MAD a part; "
            f"answers {'come in' if gateway.can_receive else 'do not come in'}"
        )


@gateway_commands.command("check")
@click.argument("name")
@click.option("--to", required=True, help="Your own telephone number, or e-mail address.")
@click.option("--language", type=click.Choice(["fr", "ar", "ary"]), default="fr")
@click.option(
    "--wait", type=click.FloatRange(1, 3600), default=120.0, help="Seconds to wait for a receipt."
)
def check(name: str, to: str, language: str, wait: float) -> None:
    """Send one test text by a gateway and follow it to its receipt, saying each step.

    It ends with an error where the text is refused or does not arrive, or no receipt comes.
    """
    with refusals_in_one_line():
        number = gateway_checks.plan_check(name, to, language)
    _say(f"message {number} is in the outbox")
    until = time.monotonic() + wait
    last: Progress | None = None
    while time.monotonic() < until:
        gateway_checks.deliver_check(number)
        progress = gateway_checks.progress_of(number)
        if progress != last:
            last = progress
            _say_progress(progress)
        if progress.state in _LOST:
            raise click.ClickException(f"{name} did not bring it: {_reason(progress)}")
        if progress.state is MessageState.DELIVERED:
            return
        if progress.state is MessageState.ACCEPTED and not gateway_checks.brings_receipts(name):
            _say("this gateway says no more than that")
            return
        time.sleep(_LOOK_EVERY_SECONDS)
    raise click.ClickException(_no_receipt(name, wait, last))


def _say(words: str) -> None:
    now = clock.to_wall(clock.now(), current_app.config["N9RAW"].civil_zone)
    click.echo(f"{now:%H:%M:%S.%f}"[:-3] + f"  {words}")


def _say_progress(progress: Progress) -> None:
    words = _WORDS[progress.state]
    if progress.reason and progress.state is MessageState.PLANNED:
        words += f", at {_at(progress.next_try_at)}: {progress.reason}"
    if progress.is_resent:
        words += "; it was sent a second time"
    _say(words)


def _at(instant: datetime) -> str:
    wall = clock.to_wall(instant, current_app.config["N9RAW"].civil_zone)
    return f"{wall:%H:%M:%S}"


def _reason(progress: Progress) -> str:
    return progress.reason or _WORDS[progress.state]


def _no_receipt(name: str, wait: float, last: Progress | None) -> str:
    if last is not None and last.state is MessageState.ACCEPTED:
        return (
            f"{name} took it, but no receipt came within {wait:.0f} s. Is the address that it "
            "calls reached from there, and the web process running?"
        )
    reason = "" if last is None else f": {_reason(last)}"
    return f"{name} had not taken it within {wait:.0f} s{reason}"


def _rate(per_second: float | None) -> str:
    return "as many as there are" if per_second is None else f"{per_second:g} a second"


def _quiet(hours: object) -> str:
    if not isinstance(hours, tuple):
        return "no quiet hours of its own"
    return f"quiet {hours[0]:%H:%M}-{hours[1]:%H:%M}"
