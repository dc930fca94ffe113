"""Gateways for telephones are configured whole, or refused with words that name the setting."""

from __future__ import annotations

from datetime import time

import pytest

from app.gateways.configured import configured_gateways
from config import ConfigError
from gateway_settings import GatewaySettings
from tests.support.databases import make_config
from tests.support.fake_meta import FakeMeta
from tests.support.fake_twilio import FakeTwilio
from tests.support.mail import Mailbox

SITE = "https://n9raw.ma"
KANNEL = {
    "N9RAW_KANNEL_URL": "http://127.0.0.1:13013/cgi-bin/sendsms",
    "N9RAW_KANNEL_USERNAME": "tutor",
    "N9RAW_KANNEL_PASSWORD": "pa55word",
    "N9RAW_KANNEL_HOOK_SECRET": "s" * 24,
    "N9RAW_KANNEL_HOOKS_URL": SITE,
    "N9RAW_KANNEL_FROM": "N9raw",
}
TWILIO = FakeTwilio().settings(SITE)
TWILIO_WHATSAPP = FakeTwilio().whatsapp_settings(SITE)
WHATSAPP = FakeMeta().settings()
ALL = KANNEL | TWILIO | TWILIO_WHATSAPP | WHATSAPP


def test_gateways_come_in_one_order_whatever_is_configured() -> None:
    everything = ALL | Mailbox(2525).settings
    names = [gateway.name for gateway in configured_gateways(make_config("", **everything))]
    assert names == ["email", "whatsapp", "twilio_whatsapp", "kannel", "twilio"]
    only = configured_gateways(make_config("", **TWILIO_WHATSAPP))
    assert [gateway.name for gateway in only] == ["twilio_whatsapp"]


def test_limits_are_read() -> None:
    limits = {
        "N9RAW_KANNEL_PER_SECOND": "0.5",
        "N9RAW_KANNEL_SENDS_AT_ONCE": "12",
        "N9RAW_KANNEL_QUIET": "20:30-08:00",
        "N9RAW_KANNEL_PRICE": "0.35",
        "N9RAW_KANNEL_RECEIVES": "1",
    }
    (gateway,) = configured_gateways(make_config("", **KANNEL, **limits))
    assert (gateway.per_second, gateway.sends_at_once) == (0.5, 12)
    assert (gateway.quiet, gateway.can_receive) == ((time(20, 30), time(8)), True)
    assert gateway.cost("a").thousandths == 350
    (plain,) = configured_gateways(make_config("", **KANNEL))
    assert (plain.per_second, plain.sends_at_once, plain.quiet) == (20.0, 8, None)
    assert not plain.can_receive


def test_hooks_are_at_the_public_address_unless_told_otherwise() -> None:
    without = {name: value for name, value in KANNEL.items() if "HOOKS" not in name}
    settings = make_config("", **without, N9RAW_PUBLIC_URL=SITE).gateways.kannel
    assert settings is not None
    assert settings.hooks_url == SITE
    with pytest.raises(ConfigError, match=r"^N9RAW_KANNEL_HOOKS_URL must be set"):
        make_config("", **without)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (
            KANNEL | {"N9RAW_KANNEL_URL": ""},
            "KANNEL_USERNAME is of no use without N9RAW_KANNEL_URL",
        ),
        (KANNEL | {"N9RAW_KANNEL_URL": "127.0.0.1:13013"}, "N9RAW_KANNEL_URL must be an address"),
        (KANNEL | {"N9RAW_KANNEL_URL": "http://a:b@c/"}, "N9RAW_KANNEL_URL must be an address"),
        (KANNEL | {"N9RAW_KANNEL_USERNAME": ""}, "N9RAW_KANNEL_USERNAME must be set"),
        (KANNEL | {"N9RAW_KANNEL_PASSWORD": ""}, "N9RAW_KANNEL_PASSWORD must be set"),
        (KANNEL | {"N9RAW_KANNEL_PASSWORD": "mot de passé"}, "without spaces and accents"),
        (KANNEL | {"N9RAW_KANNEL_HOOK_SECRET": "short"}, "HOOK_SECRET must be at least 24"),
        (KANNEL | {"N9RAW_KANNEL_FROM": "Soutien scolaire"}, "a number or 3 to 11 letters"),
        (KANNEL | {"N9RAW_KANNEL_COUNTRY": "+212"}, "N9RAW_KANNEL_COUNTRY must be a calling code"),
        (KANNEL | {"N9RAW_KANNEL_PRICE": "cheap"}, "N9RAW_KANNEL_PRICE must be a number up to 100"),
        (KANNEL | {"N9RAW_KANNEL_PRICE": "NaN"}, "N9RAW_KANNEL_PRICE must be a number up to 100"),
        (KANNEL | {"N9RAW_KANNEL_PER_SECOND": "0"}, "N9RAW_KANNEL_PER_SECOND must be a number"),
        (KANNEL | {"N9RAW_KANNEL_SENDS_AT_ONCE": "50"}, "SENDS_AT_ONCE must be 1 to 49"),
        (
            KANNEL | {"N9RAW_KANNEL_QUIET": "20:00-24:00"},
            "must read 20:00-09:00, not '20:00-24:00'",
        ),
        (KANNEL | {"N9RAW_KANNEL_QUIET": "20:00-20:00"}, "N9RAW_KANNEL_QUIET must read"),
        (KANNEL | {"N9RAW_KANNEL_QUIET": "08:00-21:00"}, "KANNEL_QUIET leaves no time by day"),
        (KANNEL | {"N9RAW_KANNEL_QUIET": "22:00-21:30"}, "KANNEL_QUIET leaves no time by day"),
        (KANNEL | {"N9RAW_KANNEL_RECEIVES": "yes"}, "N9RAW_KANNEL_RECEIVES must be 0 or 1"),
        (
            KANNEL | {"N9RAW_KANNEL_PASWORD": "x"},
            "no gateway knows the setting N9RAW_KANNEL_PASWORD",
        ),
        (
            TWILIO | {"N9RAW_TWILIO_ACCOUNT": "AC1"},
            "N9RAW_TWILIO_ACCOUNT must be the account's SID",
        ),
        (TWILIO | {"N9RAW_TWILIO_TOKEN": ""}, "N9RAW_TWILIO_TOKEN must be set"),
        (TWILIO | {"N9RAW_TWILIO_FROM": ""}, "ACCOUNT is of no use without N9RAW_TWILIO_FROM"),
        (
            TWILIO | {"N9RAW_TWILIO_FROM": "N9raw", "N9RAW_TWILIO_RECEIVES": "1"},
            "N9RAW_TWILIO_RECEIVES can't be 1: nobody can answer to a name",
        ),
        (
            TWILIO_WHATSAPP | {"N9RAW_TWILIO_WHATSAPP_CONTENT": "fr=HX1,ar=HX2"},
            "N9RAW_TWILIO_WHATSAPP_CONTENT must name content templates",
        ),
        (
            WHATSAPP | {"N9RAW_WHATSAPP_TEMPLATES": "fr=rappel"},
            "N9RAW_WHATSAPP_TEMPLATES must be a template by language",
        ),
        (
            WHATSAPP | {"N9RAW_WHATSAPP_TEMPLATES": "fr=Rappel,ar=rappel"},
            "N9RAW_WHATSAPP_TEMPLATES must read fr=name:fr,ar=name:ar",
        ),
        (WHATSAPP | {"N9RAW_WHATSAPP_APP_SECRET": ""}, "N9RAW_WHATSAPP_APP_SECRET must be set"),
    ],
)
def test_half_and_wrong_settings_are_refused(settings: dict[str, str], complaint: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        make_config("", **settings)
    assert complaint in str(refusal.value)
    assert "pa55word" not in str(refusal.value)


@pytest.mark.parametrize("settings", [KANNEL, TWILIO, TWILIO_WHATSAPP, WHATSAPP])
def test_demo_can_not_be_pointed_at_a_real_gateway(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="the demo sends nothing: unset N9RAW_"):
        make_config("", N9RAW_DEMO="1", **settings)
    demo = make_config("", N9RAW_DEMO="1")
    assert demo.gateways == GatewaySettings()
    assert [gateway.name for gateway in configured_gateways(demo)] == ["console"]


def test_no_secret_stands_in_a_repr() -> None:
    shown = repr(make_config("", **ALL))
    secret = [
        value for name, value in ALL.items() if name.endswith(("TOKEN", "SECRET", "PASSWORD"))
    ]
    assert len(secret) == 6
    assert [value for value in secret if value in shown] == []
