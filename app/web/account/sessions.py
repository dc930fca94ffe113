"""The session of a browser at its beginning and end."""

from __future__ import annotations

from flask import session
from flask_login import UserMixin, login_user


def begin_session(user: UserMixin) -> None:
    """Sign somebody in, in a session of their own."""
    forget_session()
    login_user(user)


def forget_session() -> None:
    """Begin a new session: nothing of one person's stays for the next, but the language."""
    locale = session.get("locale")
    session.clear()
    if locale:
        session["locale"] = locale
