"""The settings of the gateways for telephones, read from the environment as config.py's are.

A gateway is configured by its first setting, such as N9RAW_KANNEL_URL. One that is configured
halfway is refused, and so is a setting that no gateway knows: it is likely misspelt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

_QUIET = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")

_DAY = (time(8), time(21))
"""Outside of it people sleep, so that little leaves by any gateway."""


class ConfigError(ValueError):
    """The environment asks for something that can't be or must not be; the message says what."""


@dataclass(frozen=True)
class Limits:
    """What a gateway may be asked to do, and what it costs."""

    per_second: float
    sends_at_once: int
    quiet: tuple[time, time] | None
    price: int
    """Thousandths of a dirham for one SMS, or for one message where the other side counts those."""
    receives: bool
    """Whether answers come in, so that texts may ask for one."""


@dataclass(frozen=True)
class KannelSettings:
    url: str
    """Where smsbox takes texts, such as http://127.0.0.1:13013/cgi-bin/sendsms."""
    username: str
    password: str = field(repr=False)
    hook_secret: str = field(repr=False)
    """What stands in the addresses that Kannel calls, since Kannel signs nothing."""
    hooks_url: str
    """Where Kannel reaches this program."""
    sender: str
    country: str
    """The calling code of senders' numbers that come without one."""
    limits: Limits


@dataclass(frozen=True)
class TwilioSettings:
    url: str
    account: str
    token: str = field(repr=False)
    """The account's: it signs what Twilio calls, so keys made beside it do not do."""
    sender: str
    """A number, a name of letters, or a messaging service (MG...)."""
    content: Mapping[str, str]
    """For WhatsApp: by language, the content template (HX...) of which a text is variable 1."""
    hooks_url: str
    limits: Limits


@dataclass(frozen=True)
class WhatsAppSettings:
    url: str
    """With the version, such as https://graph.facebook.com/v23.0."""
    sender_id: str
    """Meta's id of the number that texts come from."""
    token: str = field(repr=False)
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    templates: Mapping[str, tuple[str, str]]
    """By language, the name and the language code of the template whose variable a text is."""
    limits: Limits


@dataclass(frozen=True)
class GatewaySettings:
    """The gateways for telephones that an installation has."""

    kannel: KannelSettings | None = None
    twilio: TwilioSettings | None = None
    twilio_whatsapp: TwilioSettings | None = None
    whatsapp: WhatsAppSettings | None = None

    @classmethod
    def from_environment(
        cls, env: Mapping[str, str], public_url: str | None, *, demo: bool
    ) -> GatewaySettings:
        """Read N9RAW_KANNEL_*, N9RAW_TWILIO_*, N9RAW_TWILIO_WHATSAPP_* and N9RAW_WHATSAPP_*."""
        for name, value in env.items():
            if value and name.startswith(tuple(_KNOWN)):
                _refuse_unknown(name)
                if demo:
                    raise ConfigError(f"the demo sends nothing: unset {name} or N9RAW_DEMO")
        return cls(
            kannel=_kannel(_Group(env, "N9RAW_KANNEL_"), public_url),
            twilio=_twilio(_Group(env, "N9RAW_TWILIO_"), public_url),
            twilio_whatsapp=_twilio_whatsapp(_Group(env, "N9RAW_TWILIO_WHATSAPP_"), public_url),
            whatsapp=_whatsapp(_Group(env, "N9RAW_WHATSAPP_")),
        )


_LIMITS = ("PER_SECOND", "SENDS_AT_ONCE", "QUIET", "PRICE", "RECEIVES")
_KNOWN = {
    "N9RAW_TWILIO_WHATSAPP_": ("FROM", "CONTENT", *_LIMITS),
    "N9RAW_TWILIO_": ("ACCOUNT", "TOKEN", "FROM", "URL", "HOOKS_URL", *_LIMITS),
    "N9RAW_KANNEL_": (
        "URL", "USERNAME", "PASSWORD", "HOOK_SECRET", "HOOKS_URL", "FROM", "COUNTRY", *_LIMITS,
    ),
    "N9RAW_WHATSAPP_": (
        "SENDER_ID", "TOKEN", "APP_SECRET", "VERIFY_TOKEN", "TEMPLATES", "URL", *_LIMITS,
    ),
}  # fmt: skip
"""The beginnings of settings, the longer of two that begin alike first."""


def _refuse_unknown(name: str) -> None:
    beginning = next(one for one in _KNOWN if name.startswith(one))
    if name.removeprefix(beginning) not in _KNOWN[beginning]:
        raise ConfigError(f"no gateway knows the setting {name}")


class _Group:
    """The settings of one gateway, by what stands behind their common beginning."""

    def __init__(self, env: Mapping[str, str], beginning: str) -> None:
        self.env = env
        self.beginning = beginning

    def is_there(self, first: str) -> bool:
        """Whether the gateway is configured; settings of one that is not are refused."""
        if self.get(first):
            return True
        for last in _KNOWN[self.beginning]:
            if self.get(last):
                raise ConfigError(f"{self.beginning}{last} is of no use without {self.name(first)}")
        return False

    def name(self, last: str) -> str:
        return self.beginning + last

    def get(self, last: str, default: str = "") -> str:
        return self.env.get(self.name(last), "") or default

    def need(self, last: str, what: str) -> str:
        value = self.get(last)
        if not value:
            raise ConfigError(f"{self.name(last)} must be set: {what}")
        return value

    def header(self, last: str, what: str) -> str:
        """A setting that is sent in a header, where no other letters can stand."""
        return self.matching(last, "[!-~]+", f"{what}, without spaces and accents")

    def matching(self, last: str, pattern: str, what: str, default: str = "") -> str:
        """A setting that must be like a pattern. What it holds is not shown: it may be secret."""
        value = self.get(last, default) or self.need(last, what)
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ConfigError(f"{self.name(last)} must be {what}")
        return value

    def url(self, last: str, default: str | None = None) -> str:
        value = self.get(last, default or "") or self.need(last, "an address, http:// or https://")
        try:
            parts = urlsplit(value)
            is_usable = parts.scheme in ("http", "https") and bool(parts.hostname)
            is_usable = is_usable and parts.port != 0 and "@" not in parts.netloc
        except ValueError:
            is_usable = False
        if not is_usable or parts.query or parts.fragment or not value.isascii():
            raise ConfigError(f"{self.name(last)} must be an address, http:// or https://")
        return value.rstrip("/")

    def by_language(self, what: str, last: str) -> dict[str, str]:
        """fr=...,ar=... and perhaps ary=...; French and Arabic are needed."""
        text = self.need(last, f"{what} by language, such as fr=...,ar=...")
        pairs = [part.strip().partition("=") for part in text.split(",")]
        named = {language.strip(): value.strip() for language, _, value in pairs}
        languages = set(named)
        if not {"fr", "ar"} <= languages <= {"fr", "ar", "ary"} or not all(named.values()):
            raise ConfigError(f"{self.name(last)} must be {what} by language: fr=...,ar=...")
        return named

    def limits(self, *, per_second: float, sends_at_once: int) -> Limits:
        return Limits(
            per_second=float(self._number("PER_SECOND", str(per_second), Decimal(1000))),
            sends_at_once=int(
                self.matching("SENDS_AT_ONCE", r"[1-9]|[1-4]\d", "1 to 49", str(sends_at_once))
            ),
            quiet=self._quiet(),
            price=int(self._number("PRICE", "0", Decimal(100), least=Decimal(0)) * 1000),
            receives=self.matching("RECEIVES", "[01]", "0 or 1", "0") == "1",
        )

    def _number(
        self, last: str, default: str, most: Decimal, least: Decimal = Decimal("0.01")
    ) -> Decimal:
        text = self.get(last, default)
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or not least <= value <= most:
            raise ConfigError(f"{self.name(last)} must be a number up to {most}, not {text!r}")
        return value

    def _quiet(self) -> tuple[time, time] | None:
        text = self.get("QUIET")
        if not text:
            return None
        found = _QUIET.fullmatch(text)
        if found is None or found.group(1, 2) == found.group(3, 4):
            raise ConfigError(f"{self.name('QUIET')} must read 20:00-09:00, not {text!r}")
        hours = [int(number) for number in found.groups()]
        begin, end = time(hours[0], hours[1]), time(hours[2], hours[3])
        whole_day = (begin <= _DAY[0], end >= _DAY[1])
        if all(whole_day) or (begin > end and any(whole_day)):
            raise ConfigError(f"{self.name('QUIET')} leaves no time by day: nothing would leave")
        return begin, end


def _kannel(group: _Group, public_url: str | None) -> KannelSettings | None:
    if not group.is_there("URL"):
        return None
    return KannelSettings(
        url=group.url("URL"),
        username=group.header("USERNAME", "the username of a sendsms-user of Kannel's"),
        password=group.header("PASSWORD", "the password of that sendsms-user"),
        hook_secret=group.matching(
            "HOOK_SECRET",
            r"[\w-]{24,}",
            "at least 24 letters, digits, _ and -, since it is all that tells "
            "Kannel's calls from others'; make one with "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        ),
        hooks_url=group.url("HOOKS_URL", public_url),
        sender=group.matching(
            "FROM", r"\+?\d{3,15}|[A-Za-z][A-Za-z0-9 ]{2,10}", "a number or 3 to 11 letters"
        ),
        country=group.matching("COUNTRY", r"[1-9]\d{0,2}", "a calling code such as 212", "212"),
        limits=group.limits(per_second=20, sends_at_once=8),
    )


_TWILIO_URL = "https://api.twilio.com"
_NUMBER = r"\+[1-9]\d{6,14}"


def _twilio(group: _Group, public_url: str | None) -> TwilioSettings | None:
    serves_whatsapp_alone = group.get("WHATSAPP_FROM") and not group.get("FROM")
    if serves_whatsapp_alone or not group.is_there("FROM"):
        return None
    service_or_sender = rf"{_NUMBER}|MG[0-9a-f]{{32}}|[A-Za-z][A-Za-z0-9 ]{{2,10}}"
    sender = group.matching(
        "FROM", service_or_sender, "a number (+...), a messaging service (MG...) or 3 to 11 letters"
    )
    limits = group.limits(per_second=10, sends_at_once=4)
    if limits.receives and not sender.startswith(("+", "MG")):
        raise ConfigError(f"{group.name('RECEIVES')} can't be 1: nobody can answer to a name")
    return _of_account(group, public_url, sender, {}, limits)


def _twilio_whatsapp(group: _Group, public_url: str | None) -> TwilioSettings | None:
    if not group.is_there("FROM"):
        return None
    sender = group.matching("FROM", _NUMBER, "the number of a WhatsApp sender, +...")
    content = group.by_language("a content template (HX...)", "CONTENT")
    if not all(re.fullmatch(r"HX[0-9a-f]{32}", sid) for sid in content.values()):
        raise ConfigError(f"{group.name('CONTENT')} must name content templates: fr=HX...,ar=HX...")
    limits = group.limits(per_second=10, sends_at_once=4)
    return _of_account(_Group(group.env, "N9RAW_TWILIO_"), public_url, sender, content, limits)


def _of_account(
    group: _Group,
    public_url: str | None,
    sender: str,
    content: Mapping[str, str],
    limits: Limits,
) -> TwilioSettings:
    return TwilioSettings(
        url=group.url("URL", _TWILIO_URL),
        account=group.matching("ACCOUNT", "AC[0-9a-f]{32}", "the account's SID, AC and 32 digits"),
        token=group.header("TOKEN", "the account's auth token"),
        sender=sender,
        content=content,
        hooks_url=group.url("HOOKS_URL", public_url),
        limits=limits,
    )


def _whatsapp(group: _Group) -> WhatsAppSettings | None:
    if not group.is_there("SENDER_ID"):
        return None
    templates = {
        language: _template(group, value, language)
        for language, value in group.by_language("a template", "TEMPLATES").items()
    }
    return WhatsAppSettings(
        url=group.url("URL", "https://graph.facebook.com/v23.0"),
        sender_id=group.matching("SENDER_ID", r"\d{5,20}", "Meta's id of the sending number"),
        token=group.header("TOKEN", "the access token of a system user"),
        app_secret=group.need("APP_SECRET", "the app's secret, which signs what Meta calls"),
        verify_token=group.need("VERIFY_TOKEN", "a word of your own, entered at Meta too"),
        templates=templates,
        limits=group.limits(per_second=20, sends_at_once=8),
    )


def _template(group: _Group, value: str, language: str) -> tuple[str, str]:
    """A template's name and language code: "name:fr_FR", or the name alone."""
    name, _, code = value.partition(":")
    code = code or {"ary": "fr"}.get(language, language)
    if not re.fullmatch(r"[a-z0-9_]{1,512}", name) or not re.fullmatch(r"[A-Za-z_]{2,8}", code):
        raise ConfigError(f"{group.name('TEMPLATES')} must read fr=name:fr,ar=name:ar")
    return name, code
