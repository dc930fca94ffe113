"""Settings, read once from the environment into a frozen `Config`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from gateway_settings import ConfigError as ConfigError
from gateway_settings import GatewaySettings

ROOT = Path(__file__).resolve().parent
MINIMUM_SECRET_LENGTH = 32
THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
"""The names by which the demo may be called, and its database."""
_DEMO_CONTACT = "Zineb Alaoui, 0600-000299"


@dataclass(frozen=True)
class Config:
    """Everything that may differ between two installations."""

    database_url: str
    secret_key: str
    demo: bool = False
    """Demo mode: synthetic data on 127.0.0.1, sign-in without a second factor or HTTPS."""
    civil_zone: str = "Africa/Casablanca"
    """The zone whose wall time the programme and its families live by (an IANA name)."""
    default_locale: str = "fr"
    secure_cookies: bool = True
    solve_seconds: int = 50
    """How long a match run may take unless its coordinator says otherwise, in seconds."""
    run_lease_seconds: float = 15.0
    """How long a silent worker keeps a match run before another may take it up, in seconds."""
    max_upload_bytes: int = 10 * 1024 * 1024
    public_url: str | None = None
    """Where people reach the program, without a slash at the end; families' links begin with it."""
    safeguarding_contact: str = ""
    """Name and telephone of who answers for children's safety; families read it on their page."""
    smtp_url: str | None = field(default=None, repr=False)
    """smtp://, smtps:// or smtp+starttls://user:password@host:port; None sends no mail."""
    mail_from: str = ""
    mail_per_second: float = 5.0
    """How many mails all workers together hand over in a second at most."""
    mail_allow_reserved: bool = False
    """Whether mail goes to domains where nobody can be, such as example.org."""
    gateways: GatewaySettings = field(default_factory=GatewaySettings)
    """Those for telephones."""
    send_timeout_seconds: float = 20.0
    """How long handing one message over may take."""
    message_lease_seconds: float = 60.0
    """How long a silent worker keeps a message before another may take it up."""
    resend_wait_seconds: float = 120.0
    """How long after its lease a message that may have left waits for a receipt."""
    retry_at_seconds: tuple[float, ...] = (30.0, 120.0, 480.0, 1800.0)
    """When a message is tried again, counted from the first try."""
    reminder_24h_ends_seconds: float = 7200.0
    """How long before its lesson the reminder of the day before is of no use any more."""
    reminder_2h_ends_seconds: float = 900.0
    """The same, of the reminder two hours before."""
    sms_code_countries: tuple[str, ...] = ("+212",)
    """Beginnings of the telephone numbers that codes are sent to: strangers can ask for them."""
    sms_codes_per_day: int = 200
    """How many codes may leave for telephones in 24 hours."""

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Config:
        """Read `N9RAW_*`; raise ConfigError on a weak secret or a value of the wrong kind.

        The demo's password is known to all, so it may neither send nor reach another machine.
        """
        demo = env.get("N9RAW_DEMO", "") == "1"
        if demo and env.get("N9RAW_SMTP_URL"):
            raise ConfigError("the demo sends nothing: unset N9RAW_SMTP_URL or N9RAW_DEMO")
        secret = env.get("N9RAW_SECRET_KEY", "")
        if _is_weak(secret):
            raise ConfigError(
                "N9RAW_SECRET_KEY must be set to at least 32 unguessable characters; make one with "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        database_url = _database_url(env.get("N9RAW_DATABASE_URL", ""))
        if demo and not _is_on_this_machine(database_url):
            raise ConfigError(
                "the demo's database must be on this machine: "
                "unset N9RAW_DEMO or N9RAW_DATABASE_URL"
            )
        public_url = _public_url(env.get("N9RAW_PUBLIC_URL", ""))
        config = cls(
            database_url=database_url,
            secret_key=secret,
            demo=demo,
            civil_zone=env.get("N9RAW_CIVIL_ZONE", cls.civil_zone),
            secure_cookies=not demo and env.get("N9RAW_INSECURE_COOKIES", "") != "1",
            solve_seconds=int(_number(env, "N9RAW_SOLVE_SECONDS", cls.solve_seconds)),
            run_lease_seconds=_number(env, "N9RAW_RUN_LEASE_SECONDS", cls.run_lease_seconds),
            public_url=public_url,
            safeguarding_contact=env.get("N9RAW_SAFEGUARDING", _DEMO_CONTACT if demo else ""),
            smtp_url=_smtp_url(env.get("N9RAW_SMTP_URL", "")),
            mail_from=env.get("N9RAW_MAIL_FROM", ""),
            mail_per_second=_number(env, "N9RAW_MAIL_PER_SECOND", cls.mail_per_second),
            mail_allow_reserved=env.get("N9RAW_MAIL_ALLOW_RESERVED", "") == "1",
            gateways=GatewaySettings.from_environment(env, public_url, demo=demo),
            send_timeout_seconds=_number(
                env, "N9RAW_SEND_TIMEOUT_SECONDS", cls.send_timeout_seconds
            ),
            message_lease_seconds=_number(
                env, "N9RAW_MESSAGE_LEASE_SECONDS", cls.message_lease_seconds
            ),
            resend_wait_seconds=_number(env, "N9RAW_RESEND_WAIT_SECONDS", cls.resend_wait_seconds),
            retry_at_seconds=_retries(env, cls.retry_at_seconds),
            reminder_24h_ends_seconds=_number(
                env, "N9RAW_REMINDER_24H_ENDS_SECONDS", cls.reminder_24h_ends_seconds
            ),
            reminder_2h_ends_seconds=_number(
                env, "N9RAW_REMINDER_2H_ENDS_SECONDS", cls.reminder_2h_ends_seconds
            ),
            sms_code_countries=_countries(env, cls.sms_code_countries),
            sms_codes_per_day=_count(env, "N9RAW_SMS_CODES_PER_DAY", cls.sms_codes_per_day),
        )
        _check_messages(config)
        return config


def _check_messages(config: Config) -> None:
    if config.smtp_url is not None and not _is_mailbox(config.mail_from):
        raise ConfigError("N9RAW_MAIL_FROM must be an address, such as N9raw <rappels@n9raw.ma>")
    if config.send_timeout_seconds >= config.message_lease_seconds:
        raise ConfigError(
            "N9RAW_SEND_TIMEOUT_SECONDS must be less than N9RAW_MESSAGE_LEASE_SECONDS: a message "
            "must not be taken up by another worker while it is being sent"
        )


def _is_mailbox(text: str) -> bool:
    local, at, domain = parseaddr(text)[1].rpartition("@")
    return bool(at and local and domain) and text.isprintable()


def _smtp_url(text: str) -> str | None:
    if not text:
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("smtp", "smtps", "smtp+starttls") and bool(parts.hostname)
        usable = usable and parts.port != 0  # raises ValueError where it is no number
    except ValueError:
        usable = False
    if not usable:
        # Not shown: it may hold a password.
        raise ConfigError(
            "N9RAW_SMTP_URL must read smtp://, smtps:// or smtp+starttls://user:password@host:port"
        )
    return text


def _retries(env: Mapping[str, str], default: tuple[float, ...]) -> tuple[float, ...]:
    """Rising numbers of seconds between commas, such as "30,120,480,1800"."""
    name = "N9RAW_RETRY_AT_SECONDS"
    text = env.get(name, "")
    if not text:
        return default
    waits = tuple(_number({name: part.strip()}, name, 0) for part in text.split(","))
    if any(later <= sooner for sooner, later in zip((0.0, *waits), waits, strict=False)):
        raise ConfigError(f"{name} must rise, such as 30,120,480,1800, not {text!r}")
    return waits


def _countries(env: Mapping[str, str], default: tuple[str, ...]) -> tuple[str, ...]:
    """Calling codes between commas, such as "+212,+33"."""
    name = "N9RAW_SMS_CODE_COUNTRIES"
    text = env.get(name, "")
    if not text:
        return default
    codes = tuple(part.strip() for part in text.split(","))
    if not all(re.fullmatch(r"\+[1-9]\d{0,6}", code) for code in codes):
        raise ConfigError(f"{name} must be calling codes such as +212,+33, not {text!r}")
    return codes


def _count(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not re.fullmatch(r"\d{1,6}", text, re.ASCII):
        raise ConfigError(f"{name} must be a number from 0 to 999999, not {text!r}")
    return int(text)


def _is_weak(secret: str) -> bool:
    return len(secret) < MINIMUM_SECRET_LENGTH or len(set(secret)) < 10


def _database_url(text: str) -> str:
    if not text:
        return f"sqlite:///{ROOT / 'var' / 'n9raw.db'}"
    for plain in ("postgresql://", "postgres://"):
        if text.startswith(plain):
            return "postgresql+psycopg://" + text.removeprefix(plain)
    if not text.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ConfigError("N9RAW_DATABASE_URL must begin with sqlite:/// or postgresql://")
    return text


def _is_on_this_machine(database_url: str) -> bool:
    """SQLite, or a PostgreSQL that is named by a loopback address or a socket's folder."""
    if database_url.startswith("sqlite:"):
        return True
    parts = urlsplit(database_url)
    query = parse_qs(parts.query)
    named = [parts.hostname or "", *query.get("host", []), *query.get("hostaddr", [])]
    hosts = [host for text in named for host in text.split(",") if host]
    # Without a host, or by a service's name, the driver looks elsewhere for where to go.
    return (
        bool(hosts)
        and "service" not in query
        and all(host in THIS_MACHINE or host.startswith("/") for host in hosts)
    )


def _public_url(text: str) -> str | None:
    if not text:
        return None
    if not text.startswith(("http://", "https://")):
        raise ConfigError("N9RAW_PUBLIC_URL must begin with http:// or https://")
    return text.rstrip("/")


def _number(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name, "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        raise ConfigError(f"{name} must be a number of seconds, not {text!r}") from None
    if not 0 < value <= 86_400:
        raise ConfigError(f"{name} must be between 0 and 86400 seconds, not {text}")
    return value
