"""Authorisation: every page, asked by every kind of people, for what is theirs and what is not.

WHO is written by hand, apart from app/web/access.py, which it is held against: a page that lacks
here fails, so that nobody opens one to others without saying so twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import product

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.web.access import RULES
from tests.support.world import World, arguments_of, build, make_world, methods_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Answer(Enum):
    """What a page answers to somebody; what stands behind the door does not matter here."""

    LETS_IN = "lets in"
    TO_SIGN_IN = "to the sign-in page"
    REFUSES = "403"
    UNKNOWN = "404"


class Role(Enum):
    STRANGER = "stranger"
    VOLUNTEER = "volunteer"
    OTHER_VOLUNTEER = "another volunteer"
    ZONE = "coordinator of the zone"
    OTHER_ZONE = "coordinator of another zone"
    COORDINATOR = "coordinator of all zones"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class To:
    """Who is let in, and for whom there is no such page since it is about somebody else's."""

    lets_in: frozenset[Role]
    unknown: frozenset[Role] = frozenset()


EVERYBODY = To(frozenset(Role))
VOLUNTEERS = To(frozenset({Role.VOLUNTEER, Role.OTHER_VOLUNTEER}))
ITS_VOLUNTEER = To(frozenset({Role.VOLUNTEER}), frozenset({Role.OTHER_VOLUNTEER}))
ADMINISTRATORS = To(frozenset({Role.ADMINISTRATOR}))
GATEWAYS = To(frozenset(), frozenset(Role))
"""What a configured gateway calls; there is none here, so that nobody finds it."""
ALL_ZONES = To(frozenset({Role.COORDINATOR, Role.ADMINISTRATOR}))
ITS_IMPORTER = To(frozenset({Role.COORDINATOR}), frozenset({Role.ADMINISTRATOR}))
"""A list that waits between its two passes is of who brought it."""
STAFF = To(ALL_ZONES.lets_in | {Role.ZONE, Role.OTHER_ZONE})
ZONE = To(ALL_ZONES.lets_in | {Role.ZONE}, frozenset({Role.OTHER_ZONE}))
"""What lies in one zone; a coordinator of another one does not find it."""

WHO: dict[str, To] = {
    "static": EVERYBODY,
    "public.home": EVERYBODY,
    "public.choose_language": EVERYBODY,
    "public.health": EVERYBODY,
    "public.certificates": EVERYBODY,
    "public.certificate": EVERYBODY,
    "public.calendar": EVERYBODY,
    "hooks.take": GATEWAYS,
    "account.sign_in": EVERYBODY,
    "account.app_code": EVERYBODY,
    "account.sign_out": EVERYBODY,
    "invitation.accept": EVERYBODY,
    "volunteer_account.sign_in": EVERYBODY,
    "volunteer_account.enter_code": EVERYBODY,
    "registration.start": EVERYBODY,
    "registration.forget": EVERYBODY,
    "registration.name": EVERYBODY,
    "registration.address": EVERYBODY,
    "registration.code": EVERYBODY,
    "registration.teaches": EVERYBODY,
    "registration.levels": EVERYBODY,
    "registration.remove_subject": EVERYBODY,
    "registration.languages": EVERYBODY,
    "registration.channels": EVERYBODY,
    "registration.place": EVERYBODY,
    "registration.week": EVERYBODY,
    "registration.most": EVERYBODY,
    "registration.charter_of_conduct": EVERYBODY,
    "registration.check": EVERYBODY,
    "registration.done": EVERYBODY,
    "help_request.start": EVERYBODY,
    "help_request.forget": EVERYBODY,
    "help_request.guardian": EVERYBODY,
    "help_request.phone": EVERYBODY,
    "help_request.code": EVERYBODY,
    "help_request.zone": EVERYBODY,
    "help_request.languages": EVERYBODY,
    "help_request.channels": EVERYBODY,
    "help_request.hours": EVERYBODY,
    "help_request.children": EVERYBODY,
    "help_request.remove_child": EVERYBODY,
    "help_request.agreement": EVERYBODY,
    "help_request.check": EVERYBODY,
    "help_request.sent": EVERYBODY,
    "family.week": EVERYBODY,
    "family.choose_language": EVERYBODY,
    "family.answer": EVERYBODY,
    "family.answer_new_time": EVERYBODY,
    "family.lesson": EVERYBODY,
    "family.cancel_lesson": EVERYBODY,
    "family.ask_for_time": EVERYBODY,
    "family.away": EVERYBODY,
    "family.stop_subject": EVERYBODY,
    "family.ask_for_call": EVERYBODY,
    "family.hours": EVERYBODY,
    "family.add_child": EVERYBODY,
    "family.ask_for_subjects": EVERYBODY,
    "family.stop_lessons": EVERYBODY,
    "family.set_messages": EVERYBODY,
    "family.set_message_language": EVERYBODY,
    "family.report_worry": EVERYBODY,
    "family.worry": EVERYBODY,
    "volunteer.start": VOLUNTEERS,
    "volunteer.week": VOLUNTEERS,
    "volunteer.accept": ITS_VOLUNTEER,
    "volunteer.decline": ITS_VOLUNTEER,
    "volunteer.cancel_lesson": ITS_VOLUNTEER,
    "volunteer.move_lesson": ITS_VOLUNTEER,
    "volunteer.answer_asked_time": ITS_VOLUNTEER,
    "volunteer.move_group": ITS_VOLUNTEER,
    "volunteer.cancel_week": ITS_VOLUNTEER,
    "volunteer.end_group": ITS_VOLUNTEER,
    "volunteer.settings": VOLUNTEERS,
    "volunteer.teaching": VOLUNTEERS,
    "volunteer.teaches": VOLUNTEERS,
    "volunteer.levels": VOLUNTEERS,
    "volunteer.remove_subject": VOLUNTEERS,
    "volunteer.languages": VOLUNTEERS,
    "volunteer.channels": VOLUNTEERS,
    "volunteer.times": VOLUNTEERS,
    "volunteer.most": VOLUNTEERS,
    "volunteer.lessons": VOLUNTEERS,
    "volunteer.note_lesson": ITS_VOLUNTEER,
    "volunteer.days_off": VOLUNTEERS,
    "volunteer.take_days_off_back": ITS_VOLUNTEER,
    "volunteer.pause": VOLUNTEERS,
    "volunteer.come_back": VOLUNTEERS,
    "volunteer.stop": VOLUNTEERS,
    "volunteer.hours": VOLUNTEERS,
    "volunteer.issue_certificate": VOLUNTEERS,
    "volunteer.certificate": ITS_VOLUNTEER,
    "volunteer.calendar": VOLUNTEERS,
    "volunteer.end_calendar": VOLUNTEERS,
    "volunteer.answer_offer": ITS_VOLUNTEER,
    "volunteer.come_after_all": ITS_VOLUNTEER,
    "coordinator.start": STAFF,
    "coordinator.desk": STAFF,
    "coordinator.trace": ALL_ZONES,
    "coordinator.see_worry": ZONE,
    "coordinator.mark_called": ZONE,
    "coordinator.figures": STAFF,
    "coordinator.week": STAFF,
    "coordinator.call_sheet": STAFF,
    "coordinator.exports": STAFF,
    "coordinator.export_file": STAFF,
    "account.own": STAFF,
    "account.change_password": STAFF,
    "account.set_messages": STAFF,
    "account.make_recovery_codes": STAFF,
    "coordinator.coordinators": ADMINISTRATORS,
    "coordinator.invite": ADMINISTRATORS,
    "coordinator.take_invitation_back": ADMINISTRATORS,
    "coordinator.change_role": ADMINISTRATORS,
    "coordinator.close_account": ADMINISTRATORS,
    "coordinator.open_account": ADMINISTRATORS,
    "coordinator.imports": ALL_ZONES,
    "coordinator.check_list": ALL_ZONES,
    "coordinator.preview_list": ITS_IMPORTER,
    "coordinator.store_list": ITS_IMPORTER,
    "coordinator.give_up_list": ITS_IMPORTER,
    "coordinator.model_list": ALL_ZONES,
    "coordinator.tutors": STAFF,
    "coordinator.tutor": STAFF,
    "coordinator.let_in_again": STAFF,
    "coordinator.vet": ALL_ZONES,
    "coordinator.withdraw_vetting": ALL_ZONES,
    "coordinator.departure": ALL_ZONES,
    "coordinator.take_tutor_back": ALL_ZONES,
    "coordinator.add_tutor": ALL_ZONES,
    "coordinator.edit_tutor": ALL_ZONES,
    "coordinator.note_tutor": STAFF,
    "coordinator.suspension": STAFF,
    "coordinator.lift_suspension": ALL_ZONES,
    "coordinator.pupils": STAFF,
    "coordinator.family": ZONE,
    "coordinator.add_family": STAFF,
    "coordinator.edit_family": ZONE,
    "coordinator.note_family": ZONE,
    "coordinator.remove_family_note": ZONE,
    "coordinator.set_family_messages": ZONE,
    "coordinator.answer_new_time": ZONE,
    "coordinator.inbox": STAFF,
    "coordinator.read_text": ZONE,
    "coordinator.answer_text": ZONE,
    "coordinator.messages": STAFF,
    "coordinator.message_prices": STAFF,
    "coordinator.message": ZONE,
    "coordinator.send_message_again": ZONE,
    "coordinator.write_to_family": ZONE,
    "coordinator.write_to_tutor": ALL_ZONES,
    "coordinator.write_to_group": ZONE,
    "coordinator.write_to_zone": ZONE,
    "coordinator.add_pupil": ZONE,
    "coordinator.edit_pupil": ZONE,
    "coordinator.record_consent": ZONE,
    "coordinator.add_request": ZONE,
    "coordinator.edit_request": ZONE,
    "coordinator.end_request": ZONE,
    "coordinator.ask_again": ZONE,
    "coordinator.requests_to_confirm": STAFF,
    "coordinator.confirm_requests": ZONE,
    "coordinator.list_zone": ALL_ZONES,
    "coordinator.make_family_link": ZONE,
    "coordinator.send_family_link": ZONE,
    "coordinator.end_family_link": ZONE,
    "coordinator.unlinked_families": STAFF,
    "coordinator.send_family_links": STAFF,
    "coordinator.matching": ALL_ZONES,
    "coordinator.latest_run": ALL_ZONES,
    "coordinator.run": ALL_ZONES,
    "coordinator.cancel_run": ALL_ZONES,
    "coordinator.run_file": ALL_ZONES,
    "coordinator.repair": ALL_ZONES,
    "coordinator.confirm_publication": ALL_ZONES,
    "coordinator.publish": ALL_ZONES,
    "coordinator.take_back": ALL_ZONES,
    "coordinator.compare": ALL_ZONES,
    "coordinator.left_waiting": ALL_ZONES,
    "coordinator.solve_again": ALL_ZONES,
    "coordinator.choices": ALL_ZONES,
    "coordinator.remove_pin": ALL_ZONES,
    "coordinator.remove_veto": ALL_ZONES,
    "coordinator.proposed_group": ALL_ZONES,
    "coordinator.pin_proposed": ALL_ZONES,
    "coordinator.rule_out_proposed": ALL_ZONES,
    "coordinator.add_to_proposed": ALL_ZONES,
    "coordinator.add_to_group": ALL_ZONES,
    "coordinator.take_out": ALL_ZONES,
    "coordinator.agree_times": ALL_ZONES,
    "coordinator.request_place": ALL_ZONES,
    "coordinator.new_group": ALL_ZONES,
    "coordinator.rule_out_request": ALL_ZONES,
    "coordinator.groups": STAFF,
    "coordinator.group": ZONE,
    "coordinator.accept_group": ZONE,
    "coordinator.decline_group": ZONE,
    "coordinator.end_group": ZONE,
    "coordinator.lessons": STAFF,
    "coordinator.lesson": ZONE,
    "coordinator.cancel_lesson": ZONE,
    "coordinator.move_lesson": ZONE,
    "coordinator.restore_lesson": ZONE,
    "coordinator.move_group": ZONE,
    "coordinator.cancel_week": ZONE,
    "coordinator.family_away": ZONE,
    "coordinator.days_off_of": ALL_ZONES,
    "coordinator.take_days_off_of_back": ALL_ZONES,
    "coordinator.note_lesson": ZONE,
    "coordinator.substitute": ZONE,
    "coordinator.give_to_substitute": ZONE,
    "coordinator.seek_substitute": ZONE,
    "coordinator.end_substitute_search": ZONE,
    "coordinator.close_flag": ZONE,
    "coordinator.programme_start": ADMINISTRATORS,
    "coordinator.programme_list": ADMINISTRATORS,
    "coordinator.programme_add": ADMINISTRATORS,
    "coordinator.programme_entry": ADMINISTRATORS,
    "coordinator.programme_retire": ADMINISTRATORS,
    "coordinator.programme_offer": ADMINISTRATORS,
    "coordinator.programme_move": ADMINISTRATORS,
    "coordinator.programme_zones": ADMINISTRATORS,
    "coordinator.programme_add_zone": ADMINISTRATORS,
    "coordinator.programme_zone": ADMINISTRATORS,
    "coordinator.programme_merge_zone": ADMINISTRATORS,
    "coordinator.programme_terms": ADMINISTRATORS,
    "coordinator.programme_add_term": ADMINISTRATORS,
    "coordinator.programme_term": ADMINISTRATORS,
    "coordinator.programme_remove_term": ADMINISTRATORS,
    "coordinator.programme_calendar": ALL_ZONES,
    "coordinator.programme_propose_holidays": ALL_ZONES,
    "coordinator.programme_add_day_off": ALL_ZONES,
    "coordinator.programme_day_off": ALL_ZONES,
    "coordinator.programme_hold_lessons": ALL_ZONES,
    "coordinator.programme_add_period": ALL_ZONES,
    "coordinator.programme_period": ALL_ZONES,
    "coordinator.programme_remove_period": ALL_ZONES,
    "coordinator.programme_period_times": ALL_ZONES,
    "coordinator.programme_look_for_times": ALL_ZONES,
    "coordinator.programme_publish_times": ALL_ZONES,
    "coordinator.programme_dismiss_times": ALL_ZONES,
    "coordinator.programme_group_times": ALL_ZONES,
    "coordinator.programme_matching": ADMINISTRATORS,
    "coordinator.programme_messages": ADMINISTRATORS,
    "coordinator.programme_message": ADMINISTRATORS,
    "coordinator.programme_standard_message": ADMINISTRATORS,
}


def test_every_page_answers_everybody_as_the_table_says(app: Flask) -> None:
    world = make_world(app)
    clients = {role: world.browser_of(role.value) for role in Role}
    sessions = {role: client.get_cookie("session") for role, client in clients.items()}
    world.keep()
    wrong = []
    for role, (endpoint, method, address) in product(Role, list(requests_of(app, world))):
        client, session = clients[role], sessions[role]
        if session is not None:
            client.set_cookie("session", session.value)  # signing out, among others, ends it
        answer = client.open(address, method=method, buffered=True)
        expected, got = expected_of(endpoint, role), answer_of(answer, endpoint)
        if got is not expected:
            wrong.append(f"{role.value}, {method} {address} ({endpoint}): {got}, not {expected}")
        if method == "POST" and got is Answer.LETS_IN:
            world.restore()
    assert wrong == []


def test_the_table_has_every_page_and_no_other(app: Flask) -> None:
    pages = {rule.endpoint for rule in app.url_map.iter_rules()}
    assert sorted(pages ^ WHO.keys()) == []
    assert sorted(pages ^ RULES.keys()) == []


def test_group_of_two_zones_is_seen_by_both_and_changed_by_neither(app: Flask) -> None:
    world = make_world(app)
    group, lesson = f"/coordinator/groups/{world.mixed_group_id}", world.mixed_lesson_id
    acts = [
        f"{group}/accept",
        f"{group}/decline",
        f"{group}/end",
        f"/coordinator/lessons/{lesson}/cancel",
    ]
    for role in (Role.ZONE, Role.OTHER_ZONE):
        client = world.browser_of(role.value)
        assert client.get(group).status_code == 200
        assert [client.post(act).status_code for act in acts] == [404] * len(acts)
    client = world.browser_of(Role.COORDINATOR.value)
    assert [client.post(act).status_code for act in acts] == [409, 400, 400, 400]


def test_family_opens_its_own_pages_alone(app: Flask) -> None:
    world = make_world(app)
    client = app.test_client()
    token, pupil = world.arguments["token"], world.arguments["pupil_id"]
    own = {name: world.arguments[name] for name in ("lesson_id", "request_id", "question_id")}
    pages = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("family.")]
    assert len(pages) > 5
    for rule in pages:
        for method in methods_of(rule):
            values = {"token": token, "pupil_id": pupil} | own
            arguments = {name: values[name] for name in rule.arguments}
            others = [arguments | {"token": "A" * 22}]
            if "pupil_id" in rule.arguments:
                others.append(arguments | {"pupil_id": world.other_pupil_id})
            if "lesson_id" in rule.arguments:
                others.append(arguments | {"lesson_id": 999})
            if "question_id" in rule.arguments:
                others.append(arguments | {"question_id": 999})
            if "request_id" in rule.arguments:
                others.append(arguments | {"request_id": world.other_request_id})
            for other in others:
                address = build(app, rule.endpoint, other)
                assert client.open(address, method=method).status_code == 404, (method, address)


def test_session_opens_nothing_once_the_account_is_closed_or_has_another_role(app: Flask) -> None:
    world = make_world(app)
    administrator = world.browser_of(Role.ADMINISTRATOR.value)
    coordinator = world.browser_of(Role.COORDINATOR.value)
    assert coordinator.get("/coordinator/matching").status_code == 200
    assert coordinator.get("/coordinator/team").status_code == 403
    zone = {"role": "zones", "zones": str(world.arguments["zone_id"])}
    assert administrator.post("/coordinator/team/2", data=zone).status_code == 303
    assert coordinator.get("/coordinator/matching").status_code == 403
    assert coordinator.get("/coordinator/desk").status_code == 200
    assert administrator.post("/coordinator/team/2/close").status_code == 303
    assert coordinator.get("/coordinator/desk").status_code == 302


def expected_of(endpoint: str, role: Role) -> Answer:
    """What the table says."""
    to = WHO[endpoint]
    if role in to.lets_in:
        return Answer.LETS_IN
    if role in to.unknown:
        return Answer.UNKNOWN
    return Answer.TO_SIGN_IN if role is Role.STRANGER else Answer.REFUSES


def answer_of(answer: TestResponse, endpoint: str) -> Answer:
    """The kind of an answer. A form that lacks its fields (400), or an act that no longer fits
    (409), was let in.
    """
    audience = "volunteer" if endpoint.startswith("volunteer.") else "account"
    if answer.status_code == 302 and answer.location.startswith(f"/{audience}/sign-in?next="):
        return Answer.TO_SIGN_IN
    known = {403: Answer.REFUSES, 404: Answer.UNKNOWN}
    assert answer.status_code < 500, (answer.request.path, answer.status_code)
    return known.get(answer.status_code, Answer.LETS_IN)


def requests_of(app: Flask, world: World) -> Iterator[tuple[str, str, str]]:
    """(endpoint, method, address) of every page."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint not in WHO:
            continue  # another test says so
        address = build(app, rule.endpoint, arguments_of(rule, world))
        for method in methods_of(rule):
            yield rule.endpoint, method, address
