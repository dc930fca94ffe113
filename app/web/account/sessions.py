"""The session of a browser at its beginning and end."""

from __future__ import annotations

from flask import session
from flask_login import UserMixin, login_user, logout_user


def begin_session(user: UserMixin, *, remember: bool = False) -> None:
    """Sign somebody in, in a session of their own; `remember` keeps them in for 30 days."""
    forget_session()
    login_user(user, remember=remember)


def forget_session() -> None:
    """Begin a new session: nothing of one person's stays for the next, but the language.

    A browser that kept somebody signed in forgets them.
    """
    locale = session.get("locale")
    session.clear()
    logout_user()
    if locale:
        session["locale"] = locale
