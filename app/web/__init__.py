"""The pages, by audience. A view parses, calls one service, then redirects or renders."""

from __future__ import annotations

from flask import Flask

from app.web import coordinator


def register_pages(app: Flask) -> None:
    """Register every blueprint."""
    app.register_blueprint(coordinator.blueprint)
