"""Take the README's picture of the proposal page: `make run`, then `make picture`."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app.services.demo import DEMO_EMAIL, DEMO_PASSWORD  # noqa: E402
from tests.support.chromium import FLAGS, find_chromium  # noqa: E402


def main(address: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto(f"{address}/account/sign-in")
        page.fill("#email", DEMO_EMAIL)
        page.fill("#password", DEMO_PASSWORD)
        page.click("main button")
        page.goto(f"{address}/coordinator/matching/latest")
        page.screenshot(path=ROOT / "docs" / "proposal.png")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
