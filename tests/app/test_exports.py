"""Exports: every table, both formats, nothing secret, and nobody else's families."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select

from app.database import transaction
from app.extensions import db
from app.i18n import show_page_in
from app.models import (
    AuditEntry,
    Coordinator,
    Draft,
    DraftKind,
    FamilyLink,
    Invitation,
    ListKind,
    Message,
    MessageKind,
    PendingImport,
    SignInCode,
    Tutor,
    Zone,
)
from app.services import family_links, worries
from app.services.errors import NotFound
from app.services.exports import EXPORTS, FileFormat, export_file, find_export
from app.services.exports.files import NOT_EXPORTED
from app.services.family_children import stop_subject
from app.services.imports import apply_import, plan_import
from app.services.scope import EVERYWHERE, Scope
from scheduler import clock
from tests.support.groups import active_group
from tests.support.lists import HIBA, RANIA, SARA, WALID, make_list, statuses
from tests.support.pages import counted_statements, in_english, signed_in
from tests.support.people import (
    make_coordinator,
    make_household,
    make_programme,
    make_tutor,
    sign_in,
)

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
HOSTILE = (
    '=HYPERLINK("http://x.example","Hiba")',
    "+212600000101",
    "-1+1|cmd",
    "@SUM(A1)",
    "＝1+1",
    "\t=1+1",
    " =1+1",
    "x;=1+1",
    "x,=1+1\n=2",
    '";"=1',
    "\u202eHiba\u202c",
    "<script>alert(1)</script>",
    "👩🏽‍🏫 سلمى",
    "_x0041_",
    "#REF!",
    "ه" * 80,
)


@pytest.fixture(autouse=True)
def time() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def taken(key: str, format_: FileFormat, by: Coordinator) -> bytes:
    """The bytes of an export."""
    with export_file(key, format_, by) as file:
        return file.read()


def read_csv(key: str, by: Coordinator, language: str = "en") -> list[dict[str, str]]:
    """The rows of an export by its headings."""
    content = taken(key, FileFormat.CSV, by)
    assert content.startswith(b"\xef\xbb\xbf")
    text = io.StringIO(content.decode("utf-8-sig"), newline="")
    return list(csv.DictReader(text, delimiter="," if language == "en" else ";"))


def rows_of_workbook(content: bytes) -> list[list[object]]:
    sheet = load_workbook(io.BytesIO(content)).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def last_act() -> AuditEntry:
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    return entry


@on_sqlite
def test_each_table_is_exported_or_is_known_not_to_be(app: Flask) -> None:
    exported = {table for export in EXPORTS for table in export.tables}
    assert not exported & NOT_EXPORTED.keys()
    assert exported | NOT_EXPORTED.keys() == set(db.metadata.tables)


def test_every_export_can_be_taken_in_both_formats(app: Flask) -> None:
    with app.test_request_context():
        show_page_in("en")
        make_programme()
        by = make_coordinator()
        household = make_household()
        active_group(make_tutor(), [household.pupils[0].requests[0].id])
        worries.report_worry(household.id, "He shouts.")
        for export in EXPORTS:
            headings = [str(heading) for heading in export.headings]
            assert len(set(headings)) == len(headings), export.key
            content = taken(export.key, FileFormat.CSV, by).decode("utf-8-sig")
            lines = list(csv.reader(io.StringIO(content, newline="")))
            book = rows_of_workbook(taken(export.key, FileFormat.XLSX, by))
            assert lines[0] == book[0] == headings
            assert {len(line) for line in lines} == {len(headings)}
            if export.key == "trace":
                assert len(book) == len(lines) + 1  # the first of the two stands in the second
            else:
                assert len(book) == len(lines)


def test_no_secret_is_in_any_export(app: Flask) -> None:
    now, later = clock.now(), clock.now() + timedelta(days=1)
    with app.test_request_context():
        make_programme()
        by, tutor_id, household = make_coordinator(), make_tutor(), make_household()
        _family, token = family_links.make_link(household.id, None)
        with transaction():
            coordinator = db.session.get_one(Coordinator, by.id)
            coordinator.totp_secret = "SECRETTOTP"
            secrets = {coordinator.password_hash, "SECRETTOTP", token}
            secrets |= {link.token_hash for link in db.session.scalars(select(FamilyLink))}
            db.session.get_one(Tutor, tutor_id).calendar_token_hash = "SECRETCALENDAR"
            planted = {"expires_at": later, "created_at": now}
            db.session.add_all(
                [
                    SignInCode(
                        tutor_id=tutor_id,
                        browser="SECRETBROWSER",
                        code_hash="SECRETCODE",
                        **planted,
                    ),
                    Invitation(
                        email="new@example.org",
                        name="N",
                        is_administrator=False,
                        all_zones=True,
                        zone_ids=[],
                        token_hash="SECRETINVITATION",
                        **planted,
                    ),
                    Message(
                        tutor_id=tutor_id,
                        kind=MessageKind.SIGN_IN_CODE,
                        text="SECRETTEXT 123456",
                        provider_id="p",
                        due_at=now,
                        next_try_at=now,
                        **planted,
                    ),
                    Draft(
                        kind=DraftKind.REGISTRATION,
                        browser_hash="SECRETDRAFT",
                        answers={"name": "SECRETANSWER"},
                        created_at=now,
                        updated_at=now,
                    ),
                    PendingImport(
                        kind=ListKind.PUPILS,
                        filename="SECRETFILE",
                        content=b"SECRETCONTENT",
                        uploaded_by_id=coordinator.id,
                        uploaded_at=now,
                    ),
                ]
            )
        for export in EXPORTS:
            content = taken(export.key, FileFormat.CSV, by).decode("utf-8-sig")
            assert "SECRET" not in content, export.key
            assert not [secret for secret in secrets if secret in content], export.key


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
@pytest.mark.parametrize("format_", list(FileFormat))
def test_lists_of_people_are_read_back_by_imports_without_a_change(
    app: Flask, language: str, format_: FileFormat
) -> None:
    abroad = {**SARA, "telephone": "+33612345678", "zone": "=Boujniba", "nom": "Ben-Ali"}
    pupils = make_list(HIBA, WALID, abroad)
    volunteers = make_list({**RANIA, "fuseau_horaire": "Europe/Paris", "prenom": "Ra'nia"})
    with app.test_request_context():
        show_page_in(language)
        make_programme()
        by = make_coordinator()
        for kind, content in ((ListKind.PUPILS, pupils), (ListKind.VOLUNTEERS, volunteers)):
            apply_import(kind, content, by)
            exported = taken(kind.value, format_, by)
            if format_ is FileFormat.CSV and kind is ListKind.PUPILS:
                # The one thing that CSV shows otherwise: what would be a formula.
                assert exported.count(b"'=") == 1
                exported = exported.replace(b"'=", b"=")
            assert set(statuses(plan_import(kind, exported))) == {"same"}


def test_rows_say_what_is_known_in_the_readers_language(app: Flask) -> None:
    with app.test_request_context():
        show_page_in("en")
        make_programme()
        by = make_coordinator()
        household = make_household(pupils=[("Hiba Touil", "3AC", ("maths", "french"))])
        (row,) = read_csv("pupils", by)
        known = {key: row[key] for key in ("First name", "Level", "Subjects", "Reachable")}
        assert known == {
            "First name": "Hiba",
            "Level": "3AC",
            "Subjects": "Mathematics; French",
            "Reachable": "Monday 18:00-20:00",
        }
        (family,) = read_csv("families", by)
        assert family["To be called"] == "no"
        assert family["Registered at"] == "2026-11-21 12:00:00"
        assert family["Telephone"].replace("-", "") == household.phone.replace("+212", "0")
        book = rows_of_workbook(taken("families", FileFormat.XLSX, by))
        assert book[1][-1] == datetime(2026, 11, 21, 12)


def test_the_programs_own_reasons_are_in_the_readers_language(app: Flask) -> None:
    with app.test_request_context():
        show_page_in("fr")
        make_programme()
        by = make_coordinator()
        household = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))])
        request = household.pupils[0].requests[0]
        active_group(make_tutor(), [request.id])
        stop_subject(household.id, request.id)
        (asked,) = read_csv("requests", by, "fr")
        assert asked["Raison de la fin"] == "la famille ne peut pas, ou ne veut plus"
        reasons = {row["Raison de l’annulation"] for row in read_csv("lessons", by, "fr")}
        assert reasons == {"il ne reste aucun élève dans le groupe"}


def test_hostile_names_are_texts_in_every_export(app: Flask) -> None:
    with app.test_request_context():
        show_page_in("en")
        make_programme()
        by = make_coordinator()
        for number, name in enumerate(HOSTILE):
            household = make_household(
                pupils=[(name, "3AC", ("maths",))], guardian=name, zone=f"{name[:40]} {number}"
            )
            worries.report_worry(household.id, name)
            active_group(make_tutor(name=name), [household.pupils[0].requests[0].id])
        for export in EXPORTS:
            book = load_workbook(io.BytesIO(taken(export.key, FileFormat.XLSX, by)))
            kinds = {cell.data_type for row in book.active.iter_rows() for cell in row}
            assert kinds <= {"s", "n", "d"}, export.key
            text = taken(export.key, FileFormat.CSV, by).decode("utf-8-sig")
            cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
            assert not [cell for cell in cells if cell.lstrip().startswith(SIGNS)], export.key


def test_each_export_leaves_who_took_it_and_whose_data(app: Flask) -> None:
    with app.test_request_context():
        make_programme()
        by = make_coordinator()
        ids = [make_household().pupils[0].id, make_household().pupils[0].id]
        taken("requests", FileFormat.XLSX, by)
        act = last_act()
        assert (act.action, act.subject, act.coordinator_id) == ("export", "export:requests", by.id)
        assert act.pupil_ids == ids
        assert act.detail == {"format": "xlsx", "rows": 2}
        taken("zones", FileFormat.CSV, by)
        assert last_act().pupil_ids == []


def test_coordinator_of_some_zones_gets_their_families_alone(app: Flask) -> None:
    with app.test_request_context():
        show_page_in("en")
        make_programme()
        own = make_household(pupils=[("Hiba Touil", "3AC", ("maths",))], zone="Boujniba")
        other = make_household(pupils=[("Wiam Tazi", "3AC", ("maths",))], zone="Aïn Kaïcher")
        make_household(pupils=[("Badr Ziani", "3AC", ("maths",))], zone="Aïn Kaïcher")
        requests = [family.pupils[0].requests[0].id for family in (own, other)]
        active_group(make_tutor(), requests)
        active_group(make_tutor(), [make_household(zone="Gfaf").pupils[0].requests[0].id])
        zone = db.session.scalars(select(Zone).where(Zone.name == "Boujniba")).one()
        by = make_coordinator(zone_ids=[zone.id])
        for key in ("families", "pupils", "requests", "consents"):
            taken(key, FileFormat.CSV, by)
            assert last_act().pupil_ids == [own.pupils[0].id], key
            assert last_act().detail["rows"] == (2 if key == "consents" else 1)
        (group,) = read_csv("groups", by)
        assert group["Pupils"] == "Hiba Touil; pupil of another zone"
        assert last_act().pupil_ids == [own.pupils[0].id]
        assert [row["Name"] for row in read_csv("zones", by)] == ["Boujniba"]
        assert [row["Asked"] for row in read_csv("figures", by)] == ["1"]
        for key in ("trace", "volunteers", "messages", "notes", "lessons", "worries"):
            with pytest.raises(NotFound):
                taken(key, FileFormat.CSV, by)


@on_sqlite
def test_key_that_is_none_is_not_found(app: Flask) -> None:
    with app.test_request_context():
        assert find_export("trace", EVERYWHERE).key == "trace"
        for key, scope in (("nothing", EVERYWHERE), ("trace", Scope(frozenset({1})))):
            with pytest.raises(NotFound):
                find_export(key, scope)


@on_sqlite
def test_page_offers_each_export_and_gives_it_as_a_file(app: Flask) -> None:
    client = in_english(app)
    page = client.get("/coordinator/exports").text
    for export in EXPORTS:
        for format_ in FileFormat:
            assert f'href="/coordinator/exports/{export.key}.{format_.value}"' in page
    answer = client.get("/coordinator/exports/families.csv")
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=n9raw-families-2026-11-21.csv"
    )
    assert answer.mimetype == "text/csv"
    assert answer.data.decode("utf-8-sig").startswith("Family’s number,Guardian,")
    answer = client.get("/coordinator/exports/families.xlsx")
    assert rows_of_workbook(answer.data)[0][:2] == ["Family’s number", "Guardian"]
    assert client.get("/coordinator/exports/nothing.csv").status_code == 404
    assert client.get("/coordinator/exports/families.pdf").status_code == 404


@on_sqlite
def test_separator_is_that_of_the_readers_spreadsheet_program(app: Flask) -> None:
    client = signed_in(app)
    assert b";Responsable" in client.get("/coordinator/exports/families.csv").data
    client.post("/language", data={"locale": "ar"})
    sheet = load_workbook(io.BytesIO(client.get("/coordinator/exports/families.xlsx").data)).active
    assert sheet.sheet_view.rightToLeft


@on_sqlite
def test_zone_coordinator_sees_only_what_is_theirs_to_take(app: Flask) -> None:
    client = _zone_coordinator(app)
    page = client.get("/coordinator/exports").text
    assert "/coordinator/exports/families.csv" in page
    assert "/coordinator/exports/trace.csv" not in page
    assert client.get("/coordinator/exports/families.csv").status_code == 200
    assert client.get("/coordinator/exports/trace.csv").status_code == 404


def _zone_coordinator(app: Flask) -> FlaskClient:
    with app.app_context():
        make_programme()
        make_coordinator("zone@example.org", zone_ids=[make_household().zone_id])
    client = app.test_client()
    sign_in(client, "zone@example.org")
    return client


@on_sqlite
def test_export_asks_the_database_as_often_for_many_rows_as_for_few(app: Flask) -> None:
    client = signed_in(app)
    asked = []
    for more in (1, 4):
        with app.app_context():
            for _ in range(more):
                household = make_household()
                active_group(make_tutor(), [household.pupils[0].requests[0].id])
        counts = {}
        for export in EXPORTS:
            with counted_statements(app) as statements:
                client.get(f"/coordinator/exports/{export.key}.csv")
            counts[export.key] = len(statements)
        asked.append(counts)
    assert asked[0] == asked[1]
