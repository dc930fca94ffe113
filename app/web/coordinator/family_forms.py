"""Forms about families, their children, requests and consents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    EmailField,
    Field,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TelField,
)
from wtforms.validators import InputRequired, Length, ValidationError
from wtforms.widgets import CheckboxInput

from app.i18n import _, _l, ngettext, page_locale
from app.models import (
    Channel,
    ConsentKind,
    ConsentMeans,
    Household,
    Language,
    Level,
    Pupil,
    Subject,
    Tag,
    Window,
    Zone,
)
from app.services import entered
from app.services.errors import Invalid
from app.services.free_text import LONGEST_REASON
from app.services.households import MESSAGE_LANGUAGES, FamilyDetails, details_of, may_be_chosen
from app.services.people import Catalogue
from app.services.pupils import PupilDetails
from app.services.pupils import details_of as details_of_pupil
from app.services.requests import MOST_LESSONS_A_WEEK
from app.services.statements import MEANS, Statement, today
from app.web.availability import WeekForm
from app.web.fields import DayField

NOT_ASKED: Final = "not_asked"
_LONGEST: Final = 300
"""Of what is read at all; each field has a rule of its own, which says more."""


def _reads(read: Callable[[str], Any]) -> Callable[[FlaskForm, Field], None]:
    """A validator that refuses what lists refuse too, in the same words."""

    def check(_form: FlaskForm, field: Field) -> None:
        try:
            read(field.data or "")
        except Invalid as refused:
            raise ValidationError(str(refused)) from None

    return check


class FamilyForm(FlaskForm):
    """A family without its children and hours."""

    guardian = StringField(
        _l("Guardian's full name"), [Length(max=_LONGEST), _reads(entered.entered_guardian)]
    )
    phone = TelField(
        _l("Telephone of the family"), [Length(max=_LONGEST), _reads(entered.entered_phone)]
    )
    email = EmailField(
        _l("E-mail address, if there is one"),
        [Length(max=_LONGEST), _reads(entered.entered_email)],
    )
    zone_id = SelectField(_l("Zone"), [InputRequired(_l("Choose one of the zones."))], coerce=str)
    languages = SelectMultipleField(
        _l("Languages that lessons can be held in"),
        [InputRequired(_l("Choose at least one language."))],
        option_widget=CheckboxInput(),
    )
    channels = SelectMultipleField(
        _l("How lessons can be held"),
        [InputRequired(_l("Choose at least one way."))],
        option_widget=CheckboxInput(),
    )
    message_language = RadioField(
        _l("Language of messages"), [InputRequired(_l("Choose the language of the messages."))]
    )
    reach_by_call = BooleanField(_l("Nobody at home reads: call before each lesson"))

    @classmethod
    def of(
        cls, household: Household | None, zones: Iterable[Zone], catalogue: Catalogue
    ) -> FamilyForm:
        """The form with what can be chosen; filled in with what is known, until it is sent."""
        known = None if household is None else details_of(household)
        data = {} if known is None else _family_data(known)
        form = cls(data=data)
        locale = page_locale()
        form.zone_id.choices = [("", _("Choose"))] + [
            (str(zone.id), zone.name_in(locale)) for zone in zones
        ]
        used = known.languages | known.channels if known else frozenset()
        form.languages.choices = _choices(catalogue.languages.values(), used)
        form.channels.choices = _choices(catalogue.channels.values(), used)
        form.message_language.choices = list(message_languages().items())
        return form

    def details(self, week: WeekForm) -> FamilyDetails:
        """What was sent, once both forms are valid."""
        windows: tuple[Window, ...] | None = None if week.to_agree else tuple(week.windows)
        return FamilyDetails(
            guardian=self.guardian.data or "",
            phone=self.phone.data or "",
            email=self.email.data or "",
            zone_id=int(self.zone_id.data),
            languages=frozenset(self.languages.data),
            channels=frozenset(self.channels.data),
            message_language=self.message_language.data,
            reach_by_call=self.reach_by_call.data,
            windows=windows,
        )


def message_languages() -> dict[str, str]:
    """What messages to families can be written in, by code, as pages name it."""
    names = {"ar": _("Arabic"), "fr": _("French"), "ary": _("Darija in Latin letters")}
    return {code: names[code] for code in MESSAGE_LANGUAGES}


def _family_data(known: FamilyDetails) -> dict[str, Any]:
    return {
        "guardian": known.guardian,
        "phone": known.phone,
        "email": known.email,
        "zone_id": str(known.zone_id),
        "languages": sorted(known.languages),
        "channels": sorted(known.channels),
        "message_language": known.message_language,
        "reach_by_call": known.reach_by_call,
    }


def _choices(rows: Iterable[Channel | Language], used: frozenset[str]) -> list[tuple[str, str]]:
    return [
        (row.code, row.name_in(page_locale()))
        for row in sorted(rows, key=lambda row: row.rank)
        if may_be_chosen(row) or row.code in used
    ]


class PupilForm(FlaskForm):
    """A child's name, school year and needs."""

    first_name = StringField(_l("First name"), [Length(max=_LONGEST), _reads(entered.entered_name)])
    last_name = StringField(_l("Last name"), [Length(max=_LONGEST), _reads(entered.entered_name)])
    level_id = SelectField(
        _l("School year"), [InputRequired(_l("Choose the child's school year."))]
    )
    needs = SelectMultipleField(_l("The child needs"), option_widget=CheckboxInput())
    ref = StringField(
        _l("Number in your list, if there is one"),
        [Length(max=_LONGEST), _reads(entered.entered_ref)],
    )

    def offer(self, pupil: Pupil | None, levels: Iterable[Level], tags: Iterable[Tag]) -> None:
        """Set what can be chosen; what the child has already stays even where it is retired."""
        locale = page_locale()
        known = None if pupil is None else details_of_pupil(pupil)
        self.level_id.choices = [("", _("Choose"))] + [
            (str(level.id), level.name_in(locale))
            for level in sorted(levels, key=lambda level: level.rank)
            if not level.retired or (known is not None and known.level_id == level.id)
        ]
        self.needs.choices = [
            (tag.code, tag.name_in(locale))
            for tag in sorted(tags, key=lambda tag: tag.rank)
            if not tag.retired or (known is not None and tag.code in known.needs)
        ]

    def details(self) -> PupilDetails:
        """What was sent, once the form is valid."""
        return PupilDetails(
            first_name=self.first_name.data or "",
            last_name=self.last_name.data or "",
            ref=self.ref.data or "",
            level_id=int(self.level_id.data),
            needs=frozenset(self.needs.data or ()),
        )


def pupil_data(pupil: Pupil) -> dict[str, Any]:
    """What is known of a child, for the form."""
    known = details_of_pupil(pupil)
    return {
        "first_name": known.first_name,
        "last_name": known.last_name,
        "ref": known.ref,
        "level_id": str(known.level_id),
        "needs": sorted(known.needs),
    }


class LessonsField(SelectField):
    """How many lessons a week of one subject; none where the subject is not wanted."""

    def __init__(self, label: Any = None, *, subject: Subject, **kwargs: Any) -> None:
        super().__init__(label, coerce=int, default=0, **kwargs)
        self.subject_id = subject.id
        self.choices = [(0, "–"), *lesson_choices()]


def lesson_choices() -> list[tuple[int, str]]:
    """The numbers of lessons a week that can be asked for, in words."""
    return [
        (number, ngettext("%(num)s lesson a week", "%(num)s lessons a week", number))
        for number in range(1, MOST_LESSONS_A_WEEK + 1)
    ]


def new_pupil_form(catalogue: Catalogue, guardian: str) -> NewPupilForm:
    """An empty form for a child, with a list for each subject of the programme."""
    offered = [row for row in catalogue.subjects.values() if not row.retired]
    fields = {
        f"lessons_{row.id}": LessonsField(row.name_in(page_locale()), subject=row)
        for row in offered
    }
    form: NewPupilForm = type("SubjectsForm", (NewPupilForm,), fields)(data=_said(guardian))
    return form


def _said(guardian: str) -> dict[str, Any]:
    return {"guardian_name": guardian, "said_on": today()}


class ConsentForm(FlaskForm):
    """What a guardian answered to the two questions, when, and how it is known."""

    lessons = RadioField(_l("Lessons"))
    group_lessons = RadioField(_l("Lessons in a group"))
    means = RadioField(_l("How do you know?"))
    guardian_name = StringField(
        _l("Who said so"), [Length(max=_LONGEST), _reads(entered.entered_guardian)]
    )
    said_on = DayField(_l("On which day"), [InputRequired(_l("Say on which day."))])

    def offer_answers(self) -> None:
        """Set what can be answered."""
        answers = [
            ("yes", _("The guardian says yes")),
            ("no", _("The guardian says no")),
            (NOT_ASKED, _("Not asked")),
        ]
        self.lessons.choices = self.group_lessons.choices = answers
        self.means.choices = [(means.value, means_of_consent(means)) for means in MEANS]
        for question in (self.lessons, self.group_lessons, self.means):
            # Nothing is chosen beforehand: a consent is never filled in by the program.
            question.validate_choice = False

    def validate_lessons(self, field: Field) -> None:
        """A question that was read out has an answer."""
        self._check_answer(field)

    def validate_group_lessons(self, field: Field) -> None:
        """As the other question."""
        self._check_answer(field)

    def validate_means(self, field: Field) -> None:
        """How the answers are known, where there are any."""
        if self._asked() and field.data not in {means.value for means in MEANS}:
            raise ValidationError(_("Say how you know: the guardian told you, or signed a paper."))

    def validate_said_on(self, field: Field) -> None:
        """Nobody said anything tomorrow."""
        if field.data is not None and field.data > today():
            raise ValidationError(
                _("The day on which the guardian said so can't be in the future.")
            )

    def statements(self) -> list[Statement]:
        """What was answered, once the form is valid."""
        return [
            Statement(
                kind=kind,
                given=answer.data == "yes",
                guardian=self.guardian_name.data or "",
                means=ConsentMeans(self.means.data),
                said_on=self.said_on.data,
            )
            for kind, answer in self._asked().items()
        ]

    def _asked(self) -> Mapping[ConsentKind, Field]:
        questions = {
            ConsentKind.LESSONS: self.lessons,
            ConsentKind.GROUP_LESSONS: self.group_lessons,
        }
        return {kind: field for kind, field in questions.items() if field.data in ("yes", "no")}

    @staticmethod
    def _check_answer(field: Field) -> None:
        if field.data not in ("yes", "no", NOT_ASKED):
            raise ValidationError(_("Say what the guardian answered."))


class NewPupilForm(PupilForm, ConsentForm):
    """A child to be added, with subjects and consent; see `new_pupil_form`."""

    def offer_all(self, levels: Iterable[Level], tags: Iterable[Tag]) -> None:
        """Set what can be chosen and answered."""
        PupilForm.offer(self, None, levels, tags)
        ConsentForm.offer_answers(self)

    @property
    def lesson_fields(self) -> list[LessonsField]:
        return [field for field in self if isinstance(field, LessonsField)]

    def wanted(self) -> dict[int, int]:
        """Lessons a week by subject, of those that were chosen."""
        return {field.subject_id: field.data for field in self.lesson_fields if field.data}

    def validate(self, extra_validators: Any = None) -> bool:
        """All fields, and that something is asked for."""
        valid: bool = super().validate(extra_validators)
        if not self.wanted() and self.lesson_fields:
            first = self.lesson_fields[0]
            first.errors = [*first.errors, _("Choose at least one subject.")]
            return False
        return valid


def consent_form(guardian: str) -> ConsentForm:
    """An empty form for what the guardian of this name answers today."""
    form = ConsentForm(data=_said(guardian))
    form.offer_answers()
    return form


def means_of_consent(means: ConsentMeans) -> str:
    """How a consent came to be known, in words."""
    return {
        ConsentMeans.DECLARED_BY_IMPORT: _("declared with a list"),
        ConsentMeans.TOLD_COORDINATOR: _("told a coordinator"),
        ConsentMeans.ON_PAPER: _("on paper"),
        ConsentMeans.ON_FAMILY_PAGE: _("on the family's page"),
        ConsentMeans.ON_REQUEST_PAGE: _("on the page that asks for help"),
    }[means]


class SubjectForm(FlaskForm):
    """One more subject for a child."""

    subject_id = SelectField(_l("Subject"), [InputRequired(_l("Choose one of the subjects."))])
    lessons = SelectField(_l("Lessons a week"), coerce=int, default=1)

    def offer(self, subjects: Iterable[Subject]) -> None:
        """Set what can be chosen."""
        self.subject_id.choices = [("", _("Choose"))] + [
            (str(row.id), row.name_in(page_locale())) for row in subjects
        ]
        self.lessons.choices = lesson_choices()


class LessonsForm(FlaskForm):
    """Another number of lessons a week."""

    lessons = SelectField(_l("Lessons a week"), coerce=int)


class EndRequestForm(FlaskForm):
    """Why a request ends."""

    reason = StringField(
        _l("Why does it end?"),
        [
            InputRequired(_l("Say why the request ends.")),
            Length(max=LONGEST_REASON, message=_l("At most 500 characters, please.")),
        ],
    )
