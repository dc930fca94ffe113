"""The forms of signing in."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from app.i18n import _l


class SignInForm(FlaskForm):
    """E-mail and password of a coordinator."""

    email = EmailField(
        _l("E-mail address"),
        [InputRequired(_l("Enter your e-mail address.")), Length(max=254)],
    )
    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Enter your password.")), Length(max=1000)],
    )


class AppCodeForm(FlaskForm):
    """The code that an authenticator app shows."""

    code = StringField(
        _l("Code from the app"),
        [InputRequired(_l("Enter the six digits that the app shows.")), Length(max=40)],
    )


class AddressForm(FlaskForm):
    """Where a volunteer can be reached."""

    address = StringField(
        _l("E-mail address or telephone number"),
        [InputRequired(_l("Enter your e-mail address or telephone number.")), Length(max=254)],
    )


class CodeForm(FlaskForm):
    """The code that a volunteer was sent."""

    code = StringField(
        _l("Code"),
        [InputRequired(_l("Enter the six digits of the message.")), Length(max=40)],
    )
