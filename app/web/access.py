"""Who may open which page: one table for all of them, asked before every request.

A page that is not in the table is closed to everybody. Strangers are sent to the sign-in page of
the audience; people of another kind get 403; what lies in no zone of a coordinator is 404 to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from flask import Flask, abort, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.extensions import login_manager
from app.models import Coordinator, Tutor
from app.services.scope import Scope, is_within, scope_of


class Who(Enum):
    """The kinds of people, by what they are signed in as. Families come by their link alone."""

    STRANGER = "stranger"
    VOLUNTEER = "volunteer"
    ZONE_COORDINATOR = "zone coordinator"
    COORDINATOR = "coordinator of all zones"
    ADMINISTRATOR = "administrator"


ALL_ZONES: Final = frozenset({Who.COORDINATOR, Who.ADMINISTRATOR})
STAFF: Final = ALL_ZONES | {Who.ZONE_COORDINATOR}
ANYONE: Final = frozenset(Who)


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may open a page, and what of it must lie in the zones of a coordinator.

    That is the argument `<kind>_id` of its address, or `argument`; see `scope.PLACES`.
    """

    who: frozenset[Who]
    kind: str | None = None
    argument: str | None = None

    @property
    def names(self) -> str:
        return self.argument or f"{self.kind}_id"


_NOBODY: Final = Rule(frozenset())
_ANYONE: Final = Rule(ANYONE)
_STAFF: Final = Rule(STAFF)
_ALL_ZONES: Final = Rule(ALL_ZONES)
_ADMINISTRATOR: Final = Rule(frozenset({Who.ADMINISTRATOR}))
_VOLUNTEER: Final = Rule(frozenset({Who.VOLUNTEER}))
_HOUSEHOLD: Final = Rule(STAFF, "household")
_PUPIL: Final = Rule(STAFF, "pupil")
_REQUEST: Final = Rule(STAFF, "request")
_GROUP: Final = Rule(STAFF, "group")
_WHOLE_GROUP: Final = Rule(STAFF, "whole_group", "group_id")
_WHOLE_LESSON: Final = Rule(STAFF, "whole_lesson", "lesson_id")

RULES: Final[dict[str, Rule]] = {
    "static": _ANYONE,
    # Public pages
    "public.home": _ANYONE,
    "public.choose_language": _ANYONE,
    "public.health": _ANYONE,
    "public.certificates": _ANYONE,
    "public.certificate": _ANYONE,
    "public.calendar": _ANYONE,
    # Ways in and out
    "account.sign_in": _ANYONE,
    "account.app_code": _ANYONE,
    "account.sign_out": _ANYONE,
    "invitation.accept": _ANYONE,
    "volunteer_account.sign_in": _ANYONE,
    "volunteer_account.enter_code": _ANYONE,
    # What gateways call, and prove who they are by a signature or a secret
    "hooks.take": _ANYONE,
    # Becoming a volunteer
    "registration.start": _ANYONE,
    "registration.forget": _ANYONE,
    "registration.name": _ANYONE,
    "registration.address": _ANYONE,
    "registration.code": _ANYONE,
    "registration.teaches": _ANYONE,
    "registration.levels": _ANYONE,
    "registration.remove_subject": _ANYONE,
    "registration.languages": _ANYONE,
    "registration.channels": _ANYONE,
    "registration.place": _ANYONE,
    "registration.week": _ANYONE,
    "registration.most": _ANYONE,
    "registration.charter_of_conduct": _ANYONE,
    "registration.check": _ANYONE,
    "registration.done": _ANYONE,
    # Families, without one
    "help_request.start": _ANYONE,
    "help_request.forget": _ANYONE,
    "help_request.guardian": _ANYONE,
    "help_request.phone": _ANYONE,
    "help_request.code": _ANYONE,
    "help_request.zone": _ANYONE,
    "help_request.languages": _ANYONE,
    "help_request.channels": _ANYONE,
    "help_request.hours": _ANYONE,
    "help_request.children": _ANYONE,
    "help_request.remove_child": _ANYONE,
    "help_request.agreement": _ANYONE,
    "help_request.check": _ANYONE,
    "help_request.sent": _ANYONE,
    # Families, by their link
    "family.week": _ANYONE,
    "family.choose_language": _ANYONE,
    "family.answer": _ANYONE,
    "family.lesson": _ANYONE,
    "family.cancel_lesson": _ANYONE,
    "family.ask_for_time": _ANYONE,
    "family.away": _ANYONE,
    "family.stop_subject": _ANYONE,
    "family.answer_new_time": _ANYONE,
    "family.ask_for_call": _ANYONE,
    "family.hours": _ANYONE,
    "family.add_child": _ANYONE,
    "family.ask_for_subjects": _ANYONE,
    "family.stop_lessons": _ANYONE,
    "family.set_messages": _ANYONE,
    "family.set_message_language": _ANYONE,
    "family.report_worry": _ANYONE,
    "family.worry": _ANYONE,
    # Volunteers
    "volunteer.start": _VOLUNTEER,
    "volunteer.week": _VOLUNTEER,
    "volunteer.accept": _VOLUNTEER,
    "volunteer.decline": _VOLUNTEER,
    "volunteer.cancel_lesson": _VOLUNTEER,
    "volunteer.move_lesson": _VOLUNTEER,
    "volunteer.answer_asked_time": _VOLUNTEER,
    "volunteer.move_group": _VOLUNTEER,
    "volunteer.cancel_week": _VOLUNTEER,
    "volunteer.end_group": _VOLUNTEER,
    "volunteer.settings": _VOLUNTEER,
    "volunteer.teaching": _VOLUNTEER,
    "volunteer.teaches": _VOLUNTEER,
    "volunteer.levels": _VOLUNTEER,
    "volunteer.remove_subject": _VOLUNTEER,
    "volunteer.languages": _VOLUNTEER,
    "volunteer.channels": _VOLUNTEER,
    "volunteer.times": _VOLUNTEER,
    "volunteer.most": _VOLUNTEER,
    "volunteer.lessons": _VOLUNTEER,
    "volunteer.note_lesson": _VOLUNTEER,
    "volunteer.days_off": _VOLUNTEER,
    "volunteer.take_days_off_back": _VOLUNTEER,
    "volunteer.pause": _VOLUNTEER,
    "volunteer.come_back": _VOLUNTEER,
    "volunteer.stop": _VOLUNTEER,
    "volunteer.hours": _VOLUNTEER,
    "volunteer.issue_certificate": _VOLUNTEER,
    "volunteer.certificate": _VOLUNTEER,
    "volunteer.calendar": _VOLUNTEER,
    "volunteer.end_calendar": _VOLUNTEER,
    "volunteer.answer_offer": _VOLUNTEER,
    "volunteer.come_after_all": _VOLUNTEER,
    # Coordinators: the desk
    "coordinator.start": _STAFF,
    "coordinator.desk": _STAFF,
    "coordinator.trace": _ALL_ZONES,
    "coordinator.see_worry": Rule(STAFF, "worry"),
    "coordinator.mark_called": Rule(STAFF, "call_request", "call_id"),
    "coordinator.figures": _STAFF,
    "coordinator.week": _STAFF,
    "coordinator.call_sheet": _STAFF,
    "coordinator.exports": _STAFF,
    "coordinator.export_file": _STAFF,
    # Coordinators: messages
    "coordinator.inbox": _STAFF,
    "coordinator.read_text": Rule(STAFF, "inbound"),
    "coordinator.answer_text": Rule(STAFF, "inbound"),
    "coordinator.messages": _STAFF,
    "coordinator.message_prices": _STAFF,
    "coordinator.message": Rule(STAFF, "message"),
    "coordinator.send_message_again": Rule(STAFF, "message"),
    "coordinator.write_to_family": _HOUSEHOLD,
    "coordinator.write_to_tutor": _ALL_ZONES,
    "coordinator.write_to_group": _WHOLE_GROUP,
    "coordinator.write_to_zone": Rule(STAFF, "zone"),
    # Coordinators: their own account, and one another's
    "account.own": _STAFF,
    "account.change_password": _STAFF,
    "account.set_messages": _STAFF,
    "account.make_recovery_codes": _STAFF,
    "coordinator.coordinators": _ADMINISTRATOR,
    "coordinator.invite": _ADMINISTRATOR,
    "coordinator.take_invitation_back": _ADMINISTRATOR,
    "coordinator.change_role": _ADMINISTRATOR,
    "coordinator.close_account": _ADMINISTRATOR,
    "coordinator.open_account": _ADMINISTRATOR,
    # Coordinators: lists
    "coordinator.imports": _ALL_ZONES,
    "coordinator.check_list": _ALL_ZONES,
    "coordinator.preview_list": _ALL_ZONES,
    "coordinator.store_list": _ALL_ZONES,
    "coordinator.give_up_list": _ALL_ZONES,
    "coordinator.model_list": _ALL_ZONES,
    # Coordinators: volunteers
    "coordinator.tutors": _STAFF,
    "coordinator.tutor": _STAFF,
    "coordinator.let_in_again": _STAFF,
    "coordinator.vet": _ALL_ZONES,
    "coordinator.withdraw_vetting": _ALL_ZONES,
    "coordinator.departure": _ALL_ZONES,
    "coordinator.take_tutor_back": _ALL_ZONES,
    "coordinator.add_tutor": _ALL_ZONES,
    "coordinator.edit_tutor": _ALL_ZONES,
    "coordinator.note_tutor": _STAFF,
    "coordinator.suspension": _STAFF,
    "coordinator.lift_suspension": _ALL_ZONES,
    # Coordinators: families
    "coordinator.pupils": _STAFF,
    "coordinator.family": _HOUSEHOLD,
    "coordinator.add_family": _STAFF,
    "coordinator.edit_family": _HOUSEHOLD,
    "coordinator.note_family": _HOUSEHOLD,
    "coordinator.remove_family_note": _HOUSEHOLD,
    "coordinator.set_family_messages": _HOUSEHOLD,
    "coordinator.answer_new_time": _HOUSEHOLD,
    "coordinator.add_pupil": _HOUSEHOLD,
    "coordinator.edit_pupil": _PUPIL,
    "coordinator.record_consent": _PUPIL,
    "coordinator.add_request": _PUPIL,
    "coordinator.edit_request": _REQUEST,
    "coordinator.end_request": _REQUEST,
    "coordinator.ask_again": _REQUEST,
    "coordinator.requests_to_confirm": _STAFF,
    "coordinator.confirm_requests": _HOUSEHOLD,
    "coordinator.list_zone": _ALL_ZONES,
    "coordinator.make_family_link": _HOUSEHOLD,
    "coordinator.send_family_link": _HOUSEHOLD,
    "coordinator.end_family_link": _HOUSEHOLD,
    "coordinator.unlinked_families": _STAFF,
    "coordinator.send_family_links": _STAFF,
    # Coordinators: matching
    "coordinator.matching": _ALL_ZONES,
    "coordinator.latest_run": _ALL_ZONES,
    "coordinator.run": _ALL_ZONES,
    "coordinator.cancel_run": _ALL_ZONES,
    "coordinator.run_file": _ALL_ZONES,
    "coordinator.repair": _ALL_ZONES,
    "coordinator.confirm_publication": _ALL_ZONES,
    "coordinator.publish": _ALL_ZONES,
    "coordinator.take_back": _ALL_ZONES,
    "coordinator.compare": _ALL_ZONES,
    "coordinator.left_waiting": _ALL_ZONES,
    "coordinator.solve_again": _ALL_ZONES,
    "coordinator.choices": _ALL_ZONES,
    "coordinator.remove_pin": _ALL_ZONES,
    "coordinator.remove_veto": _ALL_ZONES,
    "coordinator.proposed_group": _ALL_ZONES,
    "coordinator.pin_proposed": _ALL_ZONES,
    "coordinator.rule_out_proposed": _ALL_ZONES,
    "coordinator.add_to_proposed": _ALL_ZONES,
    # Coordinators: places by hand
    "coordinator.add_to_group": _ALL_ZONES,
    "coordinator.take_out": _ALL_ZONES,
    "coordinator.agree_times": _ALL_ZONES,
    "coordinator.request_place": _ALL_ZONES,
    "coordinator.new_group": _ALL_ZONES,
    "coordinator.rule_out_request": _ALL_ZONES,
    # Coordinators: groups and lessons
    "coordinator.groups": _STAFF,
    "coordinator.group": _GROUP,
    "coordinator.accept_group": _WHOLE_GROUP,
    "coordinator.decline_group": _WHOLE_GROUP,
    "coordinator.end_group": _WHOLE_GROUP,
    "coordinator.lessons": _STAFF,
    "coordinator.lesson": Rule(STAFF, "lesson"),
    "coordinator.cancel_lesson": _WHOLE_LESSON,
    "coordinator.move_lesson": _WHOLE_LESSON,
    "coordinator.restore_lesson": _WHOLE_LESSON,
    "coordinator.move_group": _WHOLE_GROUP,
    "coordinator.cancel_week": _WHOLE_GROUP,
    "coordinator.family_away": _HOUSEHOLD,
    "coordinator.days_off_of": _ALL_ZONES,
    "coordinator.take_days_off_of_back": _ALL_ZONES,
    "coordinator.note_lesson": _WHOLE_LESSON,
    "coordinator.substitute": _WHOLE_LESSON,
    "coordinator.give_to_substitute": _WHOLE_LESSON,
    "coordinator.seek_substitute": _WHOLE_LESSON,
    "coordinator.end_substitute_search": _WHOLE_LESSON,
    "coordinator.close_flag": Rule(STAFF, "whole_flag", "flag_id"),
    # The programme
    "coordinator.programme_start": _ADMINISTRATOR,
    "coordinator.programme_list": _ADMINISTRATOR,
    "coordinator.programme_add": _ADMINISTRATOR,
    "coordinator.programme_entry": _ADMINISTRATOR,
    "coordinator.programme_retire": _ADMINISTRATOR,
    "coordinator.programme_offer": _ADMINISTRATOR,
    "coordinator.programme_move": _ADMINISTRATOR,
    "coordinator.programme_zones": _ADMINISTRATOR,
    "coordinator.programme_add_zone": _ADMINISTRATOR,
    "coordinator.programme_zone": _ADMINISTRATOR,
    "coordinator.programme_merge_zone": _ADMINISTRATOR,
    "coordinator.programme_terms": _ADMINISTRATOR,
    "coordinator.programme_add_term": _ADMINISTRATOR,
    "coordinator.programme_term": _ADMINISTRATOR,
    "coordinator.programme_remove_term": _ADMINISTRATOR,
    "coordinator.programme_calendar": _ALL_ZONES,
    "coordinator.programme_propose_holidays": _ALL_ZONES,
    "coordinator.programme_add_day_off": _ALL_ZONES,
    "coordinator.programme_day_off": _ALL_ZONES,
    "coordinator.programme_hold_lessons": _ALL_ZONES,
    "coordinator.programme_add_period": _ALL_ZONES,
    "coordinator.programme_period": _ALL_ZONES,
    "coordinator.programme_remove_period": _ALL_ZONES,
    "coordinator.programme_period_times": _ALL_ZONES,
    "coordinator.programme_look_for_times": _ALL_ZONES,
    "coordinator.programme_publish_times": _ALL_ZONES,
    "coordinator.programme_dismiss_times": _ALL_ZONES,
    "coordinator.programme_group_times": _ALL_ZONES,
    "coordinator.programme_matching": _ADMINISTRATOR,
    "coordinator.programme_messages": _ADMINISTRATOR,
    "coordinator.programme_message": _ADMINISTRATOR,
    "coordinator.programme_standard_message": _ADMINISTRATOR,
}


def init_access(app: Flask) -> None:
    """Ask the table before each request."""
    app.before_request(check_access)


def who_is_here() -> Who:
    """The kind of who sends this request."""
    user = current_user._get_current_object() if current_user.is_authenticated else None
    if isinstance(user, Tutor):
        return Who.VOLUNTEER
    if isinstance(user, Coordinator):
        if user.is_administrator:
            return Who.ADMINISTRATOR
        return Who.COORDINATOR if user.all_zones else Who.ZONE_COORDINATOR
    return Who.STRANGER


def own_scope() -> Scope:
    """The zones of the coordinator who sends this request; only for pages of coordinators."""
    user = current_user._get_current_object()
    assert isinstance(user, Coordinator)
    return scope_of(user)


def may_open(endpoint: str) -> bool:
    """Whether who is here may open a page, whatever it is about: for menus and links."""
    return who_is_here() in RULES[endpoint].who


def check_access() -> ResponseReturnValue | None:
    """Refuse what the table does not allow; None lets the request through."""
    if request.endpoint is None or request.blueprint == "demo":
        return None  # no such page, or one of the demo, which answers this machine alone
    rule = RULES.get(request.endpoint, _NOBODY)
    if rule.who == ANYONE:
        return None
    who = who_is_here()
    if who is Who.STRANGER:
        answer: ResponseReturnValue = login_manager.unauthorized()
        return answer
    if who not in rule.who:
        abort(403)
    if rule.kind is not None:
        row_id = (request.view_args or {})[rule.names]
        if not is_within(own_scope(), rule.kind, row_id):
            abort(404)
    return None
