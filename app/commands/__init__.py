"""The `flask` commands, one file a subject; what a page can do, a shell can too."""

from __future__ import annotations

from flask import Flask


def register_commands(app: Flask) -> None:
    """Register every command."""
