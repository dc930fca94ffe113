"""The first pages, as anybody comes to them."""

from __future__ import annotations

from tests.support.ways import Visit, Way, every_way


@every_way
def test_first_pages_can_be_used(way: Way, visit: Visit) -> None:
    page = visit("/")
    page.look("home")
    page.follow("Sign in as volunteer")
    page.look("volunteer-sign-in")
    page.open("/account/sign-in")
    page.press("Sign in")
    page.look("sign-in-refused")
    page.open("/nowhere")
    page.look("no-such-page")
