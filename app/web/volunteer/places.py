"""Where volunteers abroad live, by the names that people use for it."""

from __future__ import annotations

from babel import Locale

from app.i18n import page_locale

_ZONES = {
    "Africa/Algiers": "DZ",
    "Africa/Cairo": "EG",
    "Africa/Casablanca": "MA",
    "Africa/Dakar": "SN",
    "Africa/Nouakchott": "MR",
    "Africa/Tunis": "TN",
    "America/Los_Angeles": "US",
    "America/New_York": "US",
    "America/Toronto": "CA",
    "Asia/Dubai": "AE",
    "Asia/Kuwait": "KW",
    "Asia/Qatar": "QA",
    "Asia/Riyadh": "SA",
    "Atlantic/Canary": "ES",
    "Europe/Amsterdam": "NL",
    "Europe/Berlin": "DE",
    "Europe/Brussels": "BE",
    "Europe/Copenhagen": "DK",
    "Europe/Istanbul": "TR",
    "Europe/Lisbon": "PT",
    "Europe/London": "GB",
    "Europe/Madrid": "ES",
    "Europe/Oslo": "NO",
    "Europe/Paris": "FR",
    "Europe/Rome": "IT",
    "Europe/Stockholm": "SE",
    "Europe/Vienna": "AT",
    "Europe/Zurich": "CH",
}


def places(current: str | None) -> list[tuple[str, str]]:
    """(IANA zone, "France (Paris)") in the order of the names; `current` is always among them."""
    countries = Locale.parse(page_locale()).territories
    zones = dict(_ZONES)
    if current is not None:
        zones.setdefault(current, "")
    named = [
        (zone, f"{countries.get(country, '')} ({_city(zone)})".strip())
        for zone, country in zones.items()
    ]
    return sorted(named, key=lambda entry: entry[1])


def _city(zone: str) -> str:
    return zone.rpartition("/")[2].replace("_", " ")
