"""The N9raw application: people, rows, pages, messages."""

from __future__ import annotations

import os
from datetime import timedelta

from flask import Flask

from app.commands import register_commands
from app.database import configure_engine, engine_options, make_folder
from app.extensions import babel, db, migrate
from app.i18n import select_locale
from app.security import init_security
from app.web import register_pages
from config import ROOT, Config
from scheduler import clock


def create_app(config: Config | None = None) -> Flask:
    """Wire the application; with no `config`, it is read from the environment.

    Raises ClockError on wrong time zone data and ConfigError on settings that must not be.
    """
    clock.verify_tz_data()
    config = config or Config.from_environment(os.environ)
    clock.zone(config.civil_zone)
    app = Flask(__name__)
    app.config.update(
        N9RAW=config,
        SECRET_KEY=config.secret_key,
        MAX_CONTENT_LENGTH=config.max_upload_bytes,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        REMEMBER_COOKIE_NAME="n9raw_stays",
        REMEMBER_COOKIE_DURATION=timedelta(days=30),
        REMEMBER_COOKIE_HTTPONLY=True,
        REMEMBER_COOKIE_SAMESITE="Lax",
        REMEMBER_COOKIE_SECURE=config.secure_cookies,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(config.database_url),
        BABEL_DEFAULT_LOCALE=config.default_locale,
    )
    make_folder(config.database_url)
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"), render_as_batch=True)
    babel.init_app(app, locale_selector=select_locale)
    init_security(app)
    register_pages(app)
    register_commands(app)
    with app.app_context():
        configure_engine(db.engine)
    return app
