"""The pages, by audience. A view parses, calls one service, then redirects or renders."""

from __future__ import annotations

from flask import Flask

from app.web import (
    account,
    coordinator,
    demo,
    family,
    help_request,
    hooks,
    public,
    registration,
    volunteer,
)
from app.web.access import init_access
from app.web.compression import init_compression
from app.web.errors import register_error_pages
from app.web.incoming import init_incoming
from app.web.templating import init_templates


def register_pages(app: Flask) -> None:
    """Register every blueprint, the error pages and what templates use."""
    init_incoming(app)
    init_access(app)
    init_compression(app)
    app.register_blueprint(public.blueprint)
    app.register_blueprint(account.blueprint)
    app.register_blueprint(account.volunteer_blueprint)
    app.register_blueprint(account.invitation_blueprint)
    app.register_blueprint(registration.blueprint)
    app.register_blueprint(coordinator.blueprint)
    app.register_blueprint(volunteer.blueprint)
    app.register_blueprint(help_request.blueprint)
    app.register_blueprint(family.blueprint)
    app.register_blueprint(hooks.blueprint)
    if app.config["N9RAW"].demo:
        app.register_blueprint(demo.blueprint)
    register_error_pages(app)
    init_templates(app)
