"""The demo's data, and who may see it."""

from __future__ import annotations

import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import create_app
from app.demo import _wait_for_web
from app.extensions import db
from app.models import AuditEntry, Pupil, Tutor, TutoringRequest, TutorState
from app.services import runs
from app.services.demo import DEMO_EMAIL, DEMO_NAME, DEMO_PASSWORD, load_demo
from tests.support.databases import make_config


def test_demo_is_the_pilot_vetted_and_filed_for_matching(app: Flask) -> None:
    with app.app_context():
        assert load_demo()
        tutors = db.session.scalars(select(Tutor)).all()
        assert len(tutors) == 20
        assert {(t.state, t.vetted_by and t.vetted_by.name) for t in tutors} == {
            (TutorState.VETTED, DEMO_NAME)
        }
        assert db.session.scalar(select(func.count()).select_from(Pupil)) == 76
        assert db.session.scalar(select(func.count()).select_from(TutoringRequest)) == 121
        problem = runs.read_problem(runs.newest_run_id() or 0)
        assert sum(request["weight"] for request in problem["requests"]) == 281


def test_demo_loads_once(app: Flask) -> None:
    with app.app_context():
        assert load_demo()
        before = db.session.scalar(select(func.count()).select_from(AuditEntry))
        assert not load_demo()
        assert len(runs.list_runs(10)) == 1
        assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == before


def test_demos_vetting_is_by_name_and_one_by_one(app: Flask) -> None:
    with app.app_context():
        load_demo()
        actions = Counter(db.session.scalars(select(AuditEntry.action)))
        assert actions["vet"] == 20


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_demo_answers_this_machine_alone(database_url: str) -> None:
    app = create_app(make_config(database_url, N9RAW_DEMO="1"))
    client = app.test_client()
    page = client.get("/account/sign-in")
    assert page.status_code == 200
    assert DEMO_EMAIL in page.text
    assert DEMO_PASSWORD in page.text
    there = client.get("/account/sign-in", environ_base={"REMOTE_ADDR": "192.0.2.7"})
    assert there.status_code == 403
    assert DEMO_PASSWORD not in there.text
    for host in ("127.0.0.1:8000", "localhost", "LOCALHOST:80", "[::1]:8000", "[::1]"):
        assert client.get("/messages", headers={"Host": host}).status_code == 200, host
    for host in ("n9raw.example.ma", "127.0.0.1.example.org", "localhost@example.org:80", "[::1"):
        assert client.get("/messages", headers={"Host": host}).status_code == 403, host
    for name in ("Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host"):
        assert client.get("/messages", headers={name: "127.0.0.1"}).status_code == 403, name
    with app.app_context():
        db.engine.dispose()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_outside_the_demo_no_page_tells_its_password(app: Flask) -> None:
    assert DEMO_PASSWORD not in app.test_client().get("/account/sign-in").text


def test_start_asks_its_own_server_past_any_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, stop = [], threading.Event()

    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            pass

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        give_up = threading.Timer(2, stop.set)
        give_up.start()
        _wait_for_web(server.server_port, stop)
        give_up.cancel()
        server.shutdown()
    assert asked == ["/healthz"]
