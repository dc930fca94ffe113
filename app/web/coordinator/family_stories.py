"""What was done to a family, in words."""

from __future__ import annotations

from typing import Any

from app.i18n import _
from app.models import AuditEntry, RequestOrigin, TutoringRequest
from app.services.family_view import FamilyView
from app.services.people import Catalogue
from app.web.coordinator import labels
from app.web.templating import local_name


def who(act: AuditEntry) -> str:
    """Who did it."""
    return act.coordinator.name if act.coordinator is not None else labels.actor(act)


def what(act: AuditEntry, view: FamilyView, catalogue: Catalogue) -> str:
    """What they did, as a sentence that follows their name."""
    told = labels.act(act.action)
    more = [*_children(act, view), *_details(act.detail, catalogue)]
    if not more:
        return told
    return _("%(act)s: %(details)s", act=told, details=_(", ").join(more))


def _children(act: AuditEntry, view: FamilyView) -> list[str]:
    """The first names of those children of the family that it was about, where not all were."""
    about = [pupil for pupil in view.household.pupils if pupil.id in act.pupil_ids]
    everybody = len(about) == len(view.household.pupils) and len(about) > 1
    return [] if everybody else [pupil.first_name for pupil in about]


def _details(detail: dict[str, Any], catalogue: Catalogue) -> list[str]:
    subjects = {row.code: local_name(row) for row in catalogue.subjects.values()}
    told = []
    codes = [detail["subject"]] if "subject" in detail else detail.get("subjects", [])
    told += [subjects.get(code, code) for code in codes]
    if "changed" in detail:
        told += [_field(name) for name in detail["changed"]]
    for kind, question in (("lessons", _("lessons")), ("group_lessons", _("lessons in a group"))):
        if isinstance(detail.get(kind), bool):
            told.append(
                _("%(question)s: yes", question=question)
                if detail[kind]
                else _("%(question)s: no", question=question)
            )
    if "reason" in detail:
        told.append(str(detail["reason"]))
    return told


def asked_by(request: TutoringRequest) -> str:
    """Where a request comes from."""
    return {
        RequestOrigin.STAFF: _("asked for by a coordinator or with a list"),
        RequestOrigin.FAMILY: _("asked for on the family's page"),
        RequestOrigin.PUBLIC: _("asked for on the page that asks for help"),
    }[request.origin]


def _field(name: str) -> str:
    return {
        "guardian": _("guardian"),
        "phone": _("telephone"),
        "email": _("e-mail address"),
        "zone_id": _("zone"),
        "languages": _("languages of lessons"),
        "channels": _("how lessons are held"),
        "message_language": _("language of messages"),
        "reach_by_call": _("calls"),
        "windows": _("when the telephone is at home"),
        "first_name": _("first name"),
        "last_name": _("last name"),
        "ref": _("number in the list"),
        "level_id": _("school year"),
        "needs": _("needs"),
    }.get(name, name)
