"""What the commands share: naming who acts, and saying a refusal in one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from app.models import Coordinator
from app.services.coordinators import find_coordinator
from app.services.errors import ServiceError

by_option = click.option(
    "--by", "email", help="The coordinator who answers for it; else nobody is named."
)


def named(email: str | None) -> Coordinator | None:
    """The coordinator with that address; None where none was given."""
    return None if email is None else find_coordinator(email)


@contextmanager
def refusals_in_one_line() -> Iterator[None]:
    """Turn a service's refusal into the command's."""
    try:
        yield
    except ServiceError as error:
        raise click.ClickException(str(error)) from error
