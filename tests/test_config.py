"""Settings are read once, and bad ones are refused with what to do."""

from __future__ import annotations

import pytest

from config import ROOT, Config, ConfigError

GOOD = {"N9RAW_SECRET_KEY": "Zk3-9fQx7_LmW2pR8vTn5bYc1dHs6jGa"}


@pytest.mark.parametrize("secret", ["", "short", "x" * 64, "abcabcabc" * 8])
def test_weak_secret_is_refused_outside_the_demo(secret: str) -> None:
    with pytest.raises(ConfigError, match="N9RAW_SECRET_KEY must be set"):
        Config.from_environment({"N9RAW_SECRET_KEY": secret})


@pytest.mark.parametrize("secret", ["", "short", "x" * 64])
def test_demo_needs_a_secret_of_its_own_too(secret: str) -> None:
    with pytest.raises(ConfigError, match="N9RAW_SECRET_KEY must be set"):
        Config.from_environment({"N9RAW_DEMO": "1", "N9RAW_SECRET_KEY": secret})


def test_demo_has_no_https() -> None:
    config = Config.from_environment(GOOD | {"N9RAW_DEMO": "1"})
    assert config.demo
    assert not config.secure_cookies


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite:////tmp/a.db",
        "postgresql://u@localhost/n9raw",
        "postgresql://u:p@127.0.0.1:5433/n9raw",
        "postgresql://u@[::1]/n9raw",
        "postgresql://u@/n9raw?host=/run/postgresql",
    ],
)
def test_demo_takes_a_database_on_this_machine(url: str) -> None:
    assert Config.from_environment(GOOD | {"N9RAW_DEMO": "1", "N9RAW_DATABASE_URL": url}).demo


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@db.example.org/n9raw",
        "postgresql://u@/n9raw",
        "postgresql://u@localhost/n9raw?host=db.example.org",
        "postgresql://u@localhost/n9raw?hostaddr=192.0.2.7",
        "postgresql://u@/n9raw?host=/run/postgresql,db.example.org",
        "postgresql://u@localhost/n9raw?service=real",
    ],
)
def test_demo_refuses_a_database_elsewhere(url: str) -> None:
    with pytest.raises(ConfigError, match="the demo's database must be on this machine"):
        Config.from_environment(GOOD | {"N9RAW_DEMO": "1", "N9RAW_DATABASE_URL": url})


def test_cookies_are_secure_unless_told_otherwise() -> None:
    assert Config.from_environment(GOOD).secure_cookies
    assert not Config.from_environment(GOOD | {"N9RAW_INSECURE_COOKIES": "1"}).secure_cookies


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("", f"sqlite:///{ROOT}/var/n9raw.db"),
        ("sqlite:////tmp/a.db", "sqlite:////tmp/a.db"),
        ("postgresql://u@h/n9raw", "postgresql+psycopg://u@h/n9raw"),
        ("postgres://u@h/n9raw", "postgresql+psycopg://u@h/n9raw"),
        ("postgresql+psycopg://u@h/n9raw", "postgresql+psycopg://u@h/n9raw"),
    ],
)
def test_database_url_is_made_ready_for_the_driver(given: str, used: str) -> None:
    assert Config.from_environment(GOOD | {"N9RAW_DATABASE_URL": given}).database_url == used


def test_other_databases_are_refused() -> None:
    with pytest.raises(ConfigError, match="must begin with sqlite:/// or postgresql://"):
        Config.from_environment(GOOD | {"N9RAW_DATABASE_URL": "mysql://u@h/n9raw"})


@pytest.mark.parametrize("text", ["soon", "0", "-3", "100000"])
def test_number_of_seconds_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="N9RAW_SOLVE_SECONDS must be"):
        Config.from_environment(GOOD | {"N9RAW_SOLVE_SECONDS": text})


def test_public_address_is_kept_without_its_last_slash() -> None:
    assert Config.from_environment(GOOD).public_url is None
    given = GOOD | {"N9RAW_PUBLIC_URL": "https://lessons.example.org/"}
    assert Config.from_environment(given).public_url == "https://lessons.example.org"
    with pytest.raises(ConfigError, match="N9RAW_PUBLIC_URL"):
        Config.from_environment(GOOD | {"N9RAW_PUBLIC_URL": "lessons.example.org"})


def test_codes_by_sms_go_to_morocco_and_are_bounded_unless_told_otherwise() -> None:
    config = Config.from_environment(GOOD)
    assert (config.sms_code_countries, config.sms_codes_per_day) == (("+212",), 200)
    told = {"N9RAW_SMS_CODE_COUNTRIES": "+212, +33", "N9RAW_SMS_CODES_PER_DAY": "0"}
    config = Config.from_environment(GOOD | told)
    assert (config.sms_code_countries, config.sms_codes_per_day) == (("+212", "+33"), 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("N9RAW_SMS_CODE_COUNTRIES", "212"),
        ("N9RAW_SMS_CODE_COUNTRIES", "+212,"),
        ("N9RAW_SMS_CODE_COUNTRIES", "+"),
        ("N9RAW_SMS_CODE_COUNTRIES", "MA"),
        ("N9RAW_SMS_CODES_PER_DAY", "-1"),
        ("N9RAW_SMS_CODES_PER_DAY", "many"),
        ("N9RAW_SMS_CODES_PER_DAY", "1.5"),
    ],
)
def test_settings_of_codes_by_sms_that_can_not_be_are_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Config.from_environment(GOOD | {name: value})
