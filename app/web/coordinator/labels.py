"""States and acts in the words of the pages."""

from __future__ import annotations

from app.i18n import _
from app.models import (
    AuditEntry,
    ConsentKind,
    GroupState,
    Lesson,
    LessonState,
    ListKind,
    Pupil,
    RequestState,
    TutorState,
)
from app.services.consent import in_force, newest_statement
from app.services.exports import EXPORTS
from app.services.programme import TABLES
from app.services.reasons import reason_in_words


def tutor_state(state: TutorState) -> tuple[str, str]:
    """(word, kind of tag) of a volunteer's state."""
    return {
        TutorState.REGISTERED: (_("waits for vetting"), "warn"),
        TutorState.VETTED: (_("vetted"), "good"),
        TutorState.PAUSED: (_("pauses"), "neutral"),
        TutorState.SUSPENDED: (_("suspended"), "bad"),
        TutorState.LEFT: (_("has left"), "neutral"),
    }[state]


def request_state(state: RequestState) -> tuple[str, str]:
    """(word, kind of tag) of a request's state."""
    return {
        RequestState.TO_CONFIRM: (_("to be confirmed"), "warn"),
        RequestState.WAITING: (_("waiting"), "neutral"),
        RequestState.SERVED: (_("served"), "good"),
        RequestState.ENDED: (_("ended"), "neutral"),
    }[state]


def group_state(state: GroupState) -> tuple[str, str]:
    """(word, kind of tag) of a group's state."""
    return {
        GroupState.OFFERED: (_("waits for an answer"), "warn"),
        GroupState.ACTIVE: (_("active"), "good"),
        GroupState.DECLINED: (_("declined"), "bad"),
        GroupState.ENDED: (_("has ended"), "neutral"),
    }[state]


def lesson_state(state: LessonState) -> tuple[str, str]:
    """(word, kind of tag) of a lesson's state."""
    return {
        LessonState.PLANNED: (_("planned"), "neutral"),
        LessonState.HELD: (_("held"), "good"),
        LessonState.PUPIL_ABSENT: (_("pupil absent"), "warn"),
        LessonState.NOT_HELD: (_("not held"), "bad"),
        LessonState.CANCELLED: (_("cancelled"), "warn"),
    }[state]


def cancel_reason(lesson: Lesson) -> str:
    """Why a lesson was cancelled; the program's own reason in the reader's words."""
    return reason_in_words(lesson.cancel_reason or "")


def consents(pupil: Pupil) -> list[tuple[str, str]]:
    """(sentence, kind of tag) for what the guardian said on lessons, and on groups."""
    lessons = newest_statement(pupil, ConsentKind.LESSONS)
    if lessons is None or not lessons.given:
        return [(_("refused lessons") if lessons else _("no consent yet"), "bad")]
    if in_force(pupil, ConsentKind.GROUP_LESSONS):
        groups = (_("groups too"), "good")
    else:
        groups = (_("alone only"), "neutral")
    return [(_("consents to lessons"), "good"), groups]


def act(action: str) -> str:
    """What was done, for a row of the trace; acts without words of their own keep their name."""
    return {
        "view": _("saw"),
        "sign_in": _("signed in"),
        "lock": _("account locked after wrong passwords"),
        "add_coordinator": _("coordinator added"),
        "change_password": _("password changed"),
        "invite": _("invited a coordinator"),
        "take_invitation_back": _("took an invitation back"),
        "accept_invitation": _("accepted an invitation"),
        "change_role": _("changed what a coordinator may do"),
        "close_account": _("closed a coordinator’s account"),
        "open_account": _("opened a coordinator’s account again"),
        "make_recovery_codes": _("made codes for a lost telephone"),
        "use_recovery_code": _("came in with a code for a lost telephone"),
        "add_tutor": _("added a volunteer"),
        "change_tutor": _("changed what is known of a volunteer"),
        "note_tutor": _("wrote a note on a volunteer"),
        "import": _("imported a list"),
        "add_family": _("added a family"),
        "change_family": _("changed what is known of a family"),
        "add_pupil": _("added a child"),
        "change_pupil": _("changed what is known of a child"),
        "record_consent": _("recorded a guardian's answer"),
        "add_request": _("asked for a subject"),
        "change_request": _("changed the lessons a week"),
        "end_request": _("ended a request"),
        "ask_again": _("asked again for a subject"),
        "confirm_requests": _("confirmed a family's requests"),
        "add_note": _("wrote a note on a family"),
        "remove_note": _("removed a note on a family"),
        "list_zone": _("took a zone into the list"),
        "vet": _("vetted a volunteer"),
        "withdraw_vetting": _("took a vetting back"),
        "renew_vetting": _("renewed a vetting"),
        "vetting_over": _("vetting ended after three years"),
        "suspend_tutor": _("suspended a volunteer"),
        "lift_suspension": _("lifted a suspension"),
        "pause_tutor": _("recorded that a volunteer pauses"),
        "tutor_left": _("recorded that a volunteer left"),
        "take_tutor_back": _("took a volunteer back"),
        "plan_absence": _("planned days off"),
        "take_absence_back": _("took days off back"),
        "note_lesson": _("noted how a lesson went"),
        "seek_substitute": _("can’t give a lesson: somebody else is looked for"),
        "start_search": _("had somebody else looked for"),
        "stand_in": _("gives a lesson in another’s place"),
        "decline_substitution": _("can’t give another’s lesson"),
        "come_after_all": _("lesson stays with its own volunteer"),
        "nobody_stands_in": _("lesson cancelled: nobody could give it"),
        "answer_new_time": _("answered whether another time suits"),
        "plan_at_new_time": _("lesson planned at another time"),
        "raise_flag": _("missed lessons flagged"),
        "close_flag": _("took care of missed lessons"),
        "issue_certificate": _("made a certificate of hours"),
        "make_calendar": _("made the address of a calendar"),
        "end_calendar": _("ended the address of a calendar"),
        "start_run": _("started a matching"),
        "start_repair": _("started a repair"),
        "cancel_run": _("cancelled a matching"),
        "run_done": _("matching finished"),
        "run_failed": _("matching failed"),
        "run_cancelled": _("matching cancelled"),
        "publish_run": _("matching published"),
        "undo_publication": _("publication taken back"),
        "accept_group": _("offer accepted"),
        "decline_group": _("offer declined"),
        "end_group": _("group ended"),
        "move_seats": _("places ended by a repair"),
        "end_seats": _("places ended: consent or request no longer allow them"),
        "pin": _("place kept"),
        "unpin": _("place kept no longer"),
        "veto": _("pair ruled out"),
        "unveto": _("pair let together again"),
        "place_by_hand": _("place offered by hand"),
        "make_group": _("group offered by hand"),
        "take_out": _("pupil taken out of a group"),
        "agree_times": _("weekly times set"),
        "add_day_off": _("school holidays added"),
        "change_day_off": _("school holidays changed"),
        "remove_day_off": _("school holidays taken away"),
        "propose_day_off": _("public holiday proposed"),
        "confirm_day_off": _("day off confirmed"),
        "dismiss_day_off": _("lessons held on a day off"),
        "add_period": _("special period added"),
        "change_period": _("special period changed"),
        "remove_period": _("special period taken away"),
        "propose_starts": _("other times of groups looked for"),
        "set_period_starts": _("other time of a group entered"),
        "dismiss_period_starts": _("other time of a group dismissed"),
        "publish_period": _("other times of groups published"),
        "cancel_lesson": _("lesson cancelled"),
        "move_lesson": _("lesson moved"),
        "restore_lesson": _("lesson put back"),
        "find_substitute": _("said that they can't give a lesson"),
        "cancel_week": _("lessons of a week cancelled"),
        "family_away": _("family away for a week"),
        "move_group": _("weekly times moved"),
        "ask_for_time": _("asked for another time"),
        "answer_asked_time": _("answered a wish for another time"),
        "stop_subject": _("stopped one subject of a child"),
        "move_with_tz_data": _("lesson moved with new time zone data"),
        "close_sign_in": _("sign-in closed after wrong codes"),
        "let_in_again": _("let in again"),
        "reset_second_factor": _("second factor taken away"),
        "make_family_link": _("made a family's link"),
        "end_family_link": _("ended a family's link"),
        "report_worry": _("reported a worry"),
        "see_worry": _("took up a worry"),
        "call_family": _("called a family that asked for it"),
        "read_text": _("read a text that came in"),
        "answer_text": _("answered a text"),
        "write_message": _("wrote in their own words"),
        "resend_message": _("sent a message again"),
        "export": _("exported a list"),
        "answer_lesson": _("said whether they will be there"),
        "ask_for_call": _("asked to be called"),
        "ask_for_child": _("asked for lessons for a child"),
        "ask_for_subjects": _("asked for more subjects for a child"),
        "ask_for_help": _("asked for help on the public page"),
        "stop_lessons": _("stopped a child’s lessons"),
        "set_hours": _("changed when the telephone is at home"),
        "set_message_language": _("changed the language of the messages"),
        "send_family_link": _("sent a family's link"),
        "stop_messages": _("stopped the messages"),
        "want_messages": _("wants messages again"),
        "set_preferences": _("changed settings"),
        "add_entry": _("added to the programme"),
        "change_entry": _("changed the programme"),
        "retire_entry": _("retired from the programme"),
        "offer_entry": _("offered again"),
        "move_level": _("moved a level"),
        "set_matching_rules": _("changed the length of lessons"),
        "add_zone": _("added a zone"),
        "change_zone": _("changed a zone"),
        "merge_zones": _("merged two zones"),
        "add_term": _("added a term"),
        "change_term": _("changed a term"),
        "remove_term": _("took a term away"),
        "set_wording": _("worded a message"),
        "reset_wording": _("went back to a standard text"),
    }.get(action, action)


_BY_FAMILIES = frozenset(
    [
        "answer_lesson",
        "answer_new_time",
        "ask_for_call",
        "ask_for_child",
        "ask_for_subjects",
        "ask_for_help",
        "report_worry",
        "set_hours",
        "set_message_language",
        "stop_lessons",
        "stop_messages",
        "want_messages",
    ]
)


def actor(entry: AuditEntry) -> str:
    """Who acted where it was no coordinator: a volunteer, a family, or the program itself."""
    if "tutor" in entry.detail:
        return acted_on(f"tutor:{entry.detail['tutor']}")
    if entry.action in _BY_FAMILIES or "household" in entry.detail:
        return _("the family")
    return _("the program")


def acted_on(subject: str) -> str:
    """What it was done to: "tutor:4" is "volunteer 4"; a page is what it shows, or its path."""
    if subject.startswith("/"):
        return _page(subject)
    kind, _colon, number = subject.partition(":")
    if kind == "tutor":
        return _("volunteer %(number)s", number=number)
    if kind == "coordinator":
        return _("coordinator %(number)s", number=number)
    if kind == "invitation":
        return _("invitation %(number)s", number=number)
    if kind == "run":
        return _("matching %(number)s", number=number)
    if kind == "zone":
        return _("zone %(number)s", number=number)
    if kind == "household":
        return _("family %(number)s", number=number)
    if kind == "worry":
        return _("worry %(number)s", number=number)
    if kind == "group":
        return _("group %(number)s", number=number)
    if kind == "lesson":
        return _("lesson %(number)s", number=number)
    if kind == "request":
        return _("request %(number)s", number=number)
    if kind == "zone":
        return _("zone %(number)s", number=number)
    if kind == "term":
        return _("term %(number)s", number=number)
    if kind in TABLES:
        return _("programme, %(code)s", code=number)
    if kind in ("programme", "wording"):
        return _("Programme")
    if kind == "export":
        return next((str(one.title) for one in EXPORTS if one.key == number), subject)
    if kind == "list":
        return _("Pupils") if number == ListKind.PUPILS else _("Volunteers")
    return subject


def _page(path: str) -> str:
    _root, audience, *parts = path.split("/")
    match parts:
        case ["week"] if audience == "coordinator":
            return _("The week as a timetable")
        case ["call-sheet"]:
            return _("Call sheet")
        case ["desk"]:
            return _("Desk")
        case ["week"]:
            return _("My week")
        case ["pupils", *_rest]:
            return _("Families and pupils")
        case ["families", number, *_rest] if number.isdecimal():
            return _("family %(number)s", number=number)
        case ["requests", *_rest]:
            return _("Requests to confirm")
        case ["volunteers", number, *_rest]:
            return _("volunteer %(number)s", number=number)
        case ["import", *_rest]:
            return _("Import a list")
        case ["matching", "choices"]:
            return _("Places kept and pairs ruled out")
        case ["requests", number, *_rest]:
            return _("request %(number)s", number=number)
        case ["matching", number, *_rest]:
            return _("Matching %(number)s", number=number)
        case ["groups"]:
            return _("Groups")
        case ["groups", number, *_rest]:
            return _("group %(number)s", number=number)
        case ["lessons"]:
            return _("Lessons")
        case ["lessons", number, *_rest]:
            return _("lesson %(number)s", number=number)
    return path
