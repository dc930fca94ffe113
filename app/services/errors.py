"""What a service says when it refuses. The message is for the reader, in the reader's language."""

from __future__ import annotations

from flask_babel.speaklater import LazyString


class ServiceError(Exception):
    """A use case was refused; `message` says what is wrong and what to do."""

    status = 400

    def __init__(self, message: LazyString | str) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


class Invalid(ServiceError):
    """What was asked for can't be."""


class NotFound(ServiceError):
    """What was asked about does not exist."""

    status = 404


class Conflict(ServiceError):
    """What was asked for no longer fits the state of things."""

    status = 409
