"""Settings, read once from the environment into a frozen `Config`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
MINIMUM_SECRET_LENGTH = 32


class ConfigError(ValueError):
    """The environment asks for something that can't be or must not be; the message says what."""


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

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Config:
        """Read `N9RAW_*`; raise ConfigError on a weak secret or a value of the wrong kind."""
        demo = env.get("N9RAW_DEMO", "") == "1"
        secret = env.get("N9RAW_SECRET_KEY", "")
        if not demo and _is_weak(secret):
            raise ConfigError(
                "N9RAW_SECRET_KEY must be set to at least 32 unguessable characters; make one with "
                "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
            )
        return cls(
            database_url=_database_url(env.get("N9RAW_DATABASE_URL", "")),
            secret_key=secret or "demo-only-" + "0" * MINIMUM_SECRET_LENGTH,
            demo=demo,
            civil_zone=env.get("N9RAW_CIVIL_ZONE", cls.civil_zone),
            secure_cookies=not demo and env.get("N9RAW_INSECURE_COOKIES", "") != "1",
            solve_seconds=int(_number(env, "N9RAW_SOLVE_SECONDS", cls.solve_seconds)),
            run_lease_seconds=_number(env, "N9RAW_RUN_LEASE_SECONDS", cls.run_lease_seconds),
        )


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
