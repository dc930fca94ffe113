"""Forms about volunteers."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from app.i18n import _l
from app.services.free_text import LONGEST_REASON
from app.services.tutor_notes import LONGEST_NOTE
from app.web.fields import DayField


class VettingForm(FlaskForm):
    """What was seen of a volunteer, and when. No document is asked for: none may be kept."""

    identity_seen_on = DayField(
        _l("Identity card or passport seen on"),
        [InputRequired(_l("Say when the volunteer's identity was seen."))],
    )
    interviewed_on = DayField(
        _l("Interview held on"), [InputRequired(_l("Say when the interview was held."))]
    )
    certificate_seen = BooleanField(
        _l("I have seen a certificate of good conduct with this name"),
        [InputRequired(_l("Without a certificate of good conduct nobody can be vetted."))],
    )
    certificate_seen_on = DayField(
        _l("Certificate seen on"),
        [InputRequired(_l("Say when the certificate of good conduct was seen."))],
    )
    charter_accepted_on = DayField(
        _l("Charter accepted on"),
        [InputRequired(_l("Say when the volunteer accepted the charter."))],
    )

    def ask_for_charter(self, asked: bool) -> None:
        """Ask when the charter was accepted, unless the volunteer did so on a page."""
        if not asked:
            self.charter_accepted_on.validators = [Optional()]
            self.charter_accepted_on.data = None


class SuspensionForm(FlaskForm):
    """Why a volunteer is suspended."""

    reason = StringField(
        _l("Why?"),
        [
            InputRequired(_l("Say why.")),
            Length(max=LONGEST_REASON, message=_l("At most 500 characters, please.")),
        ],
    )


class NoteForm(FlaskForm):
    """What the other coordinators should know."""

    text = TextAreaField(
        _l("Note"),
        [
            InputRequired(_l("Write what the others should know.")),
            Length(max=LONGEST_NOTE, message=_l("At most 2000 characters, please.")),
        ],
    )
