"""The forms of signing in."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    PasswordField,
    RadioField,
    SelectChoice,
    StringField,
)
from wtforms.validators import EqualTo, InputRequired, Length

from app.i18n import LOCALE_NAMES, _l
from app.services.coordinators import MESSAGE_LANGUAGES, MINIMUM_PASSWORD_LENGTH


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


class PresentPasswordForm(FlaskForm):
    """The password of now, so that nobody changes it on a computer left open."""

    present = PasswordField(
        _l("Present password"),
        [InputRequired(_l("Enter your present password.")), Length(max=1000)],
    )


class NewPasswordForm(FlaskForm):
    """A password to be, twice, since it can't be read while it is typed."""

    password = PasswordField(
        _l("New password"),
        [
            InputRequired(_l("Choose a password.")),
            Length(
                min=MINIMUM_PASSWORD_LENGTH,
                max=1000,
                message=_l("A password needs at least 12 characters."),
            ),
        ],
    )
    again = PasswordField(
        _l("The same password again"),
        [
            InputRequired(_l("Enter the same password again.")),
            EqualTo("password", _l("The two passwords are not the same.")),
        ],
    )


class OwnPasswordForm(PresentPasswordForm, NewPasswordForm):
    """A change of one's own password."""


class MessagesForm(FlaskForm):
    """How a coordinator is written to."""

    language = RadioField(
        _l("Language of the messages to you"),
        choices=[SelectChoice(code, LOCALE_NAMES[code]) for code in MESSAGE_LANGUAGES],
    )
    digest = BooleanField(_l("Each morning, an e-mail of what waits for an answer"))


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
    """The code that somebody was sent."""

    code = StringField(
        _l("Code"),
        [InputRequired(_l("Enter the six digits of the message.")), Length(max=40)],
    )


class VolunteerCodeForm(CodeForm):
    """The code that a volunteer was sent to sign in, and whether this browser is their own."""

    stay = BooleanField(_l("Stay signed in on this device"))
