"""Which gateways an installation has."""

from __future__ import annotations

from app.gateways import Gateway
from app.gateways.console import ConsoleGateway
from app.gateways.email import EmailGateway
from config import Config


def configured_gateways(config: Config) -> tuple[Gateway, ...]:
    """The gateways of an installation, the preferred first; in demo mode the console alone."""
    if config.demo:
        return (ConsoleGateway(),)
    if config.smtp_url is None:
        return ()
    return (
        EmailGateway(
            url=config.smtp_url,
            sender=config.mail_from,
            timeout_seconds=config.send_timeout_seconds,
            per_second=config.mail_per_second,
            allow_reserved=config.mail_allow_reserved,
        ),
    )
