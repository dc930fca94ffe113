"""A volunteer accepts on a phone, the family opens its link: a real browser, no JavaScript."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Request, expect

from app.extensions import db
from app.models import Tutor, TutorState
from app.services import family_links, worries
from app.services.scope import EVERYWHERE
from tests.support.groups import offer_group
from tests.support.pages import newest_code
from tests.support.people import make_household, make_programme, make_tutor

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]


@pytest.fixture
def address(app: Flask, address: str) -> str:
    with app.app_context():
        make_programme()
    return address


def phone(browser: Browser, address: str, width: int) -> Page:
    """A phone of that width, in pixels."""
    context = browser.new_context(
        base_url=address, viewport={"width": width, "height": 640}, java_script_enabled=False
    )
    return context.new_page()


def test_volunteer_accepts_and_the_family_sees_the_lessons(
    app: Flask, browser: Browser, address: str
) -> None:
    with app.app_context():
        tutor_id = make_tutor(state=TutorState.VETTED)
        email = db.session.get_one(Tutor, tutor_id).email or ""
        household = make_household()
        offer_group(tutor_id, [household.pupils[0].requests[0].id])
        _household, token = family_links.make_link(household.id, None)

    volunteer = phone(browser, address, 360)
    sign_in(app, volunteer, email, tutor_id)
    expect(volunteer.get_by_role("heading", level=1)).to_have_text("Ma semaine")
    expect(volunteer.get_by_text("Hiba")).to_be_visible()
    expect(volunteer.get_by_role("link", name="06")).to_have_count(0)
    volunteer.get_by_role("button", name="Accepter").click()
    expect(volunteer.get_by_role("link", name="06")).to_have_count(1)
    expect(
        volunteer.get_by_role("link", name="Je ne peux pas, ou je veux la déplacer").first
    ).to_be_visible()
    assert fits(volunteer)

    family = phone(browser, address, 320)
    answered: list[Request] = []
    family.on("requestfinished", lambda request: answered.append(request))
    family.goto(f"/f/{token}")
    expect(family.locator("html")).to_have_attribute("dir", "rtl")
    weights = [bytes_on_the_wire(request) for request in answered]
    assert len(weights) == 2
    assert sum(weights) <= 14 * 1024, weights
    assert fits(family)
    family.get_by_role("button", name="Français").click()
    expect(family.get_by_role("heading", level=1)).to_have_text("Vos séances")
    expect(family.get_by_text("18:00").first).to_be_visible()
    expect(family.get_by_text("Rania vous appelle sur WhatsApp").first).to_be_visible()
    assert fits(family)

    volunteer.get_by_role("link", name="Je ne peux pas, ou je veux la déplacer").last.click()
    volunteer.get_by_label("L’annuler").check()
    volunteer.get_by_label("Je suis malade").check()
    volunteer.get_by_role("button", name="Je ne peux pas", exact=True).click()
    expect(volunteer.get_by_text("annulée", exact=True)).to_be_visible()
    family.reload()
    expect(family.get_by_text("annulée")).to_be_visible()

    family.get_by_label("De quoi s’agit-il ?").fill("Il crie.")
    family.get_by_role("button", name="Signaler une inquiétude").click()
    expect(family.get_by_role("heading", level=1)).to_have_text("Merci de nous l’avoir dit")
    assert fits(family)
    with app.app_context():
        assert [worry.text for worry in worries.first_worries(EVERYWHERE).first] == ["Il crie."]


def sign_in(app: Flask, page: Page, email: str, tutor_id: int) -> None:
    page.goto("/")
    page.get_by_role("link", name="Se connecter comme bénévole").click()
    page.get_by_label("Adresse e-mail ou numéro de téléphone").fill(email)
    page.get_by_role("button", name="M’envoyer un code").click()
    page.get_by_label("Code", exact=True).fill(newest_code(app, tutor_id))
    assert fits(page)
    page.get_by_role("button", name="Se connecter").click()


def bytes_on_the_wire(answered: Request) -> int:
    """What came for a request, heads and body."""
    sizes = answered.sizes()
    return sizes["responseHeadersSize"] + sizes["responseBodySize"]


def fits(page: Page) -> bool:
    """Whether the page is no wider than the phone."""
    return bool(page.locator("html").evaluate("html => html.scrollWidth <= html.clientWidth"))
