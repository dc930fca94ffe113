"""Which gateways an installation has."""

from __future__ import annotations

from app.gateways import Gateway, HookedGateway
from app.gateways.console import ConsoleGateway
from app.gateways.email import EmailGateway
from app.gateways.kannel import KannelGateway
from app.gateways.twilio import TwilioGateway, TwilioWhatsAppGateway
from app.gateways.whatsapp_cloud import WhatsAppGateway
from config import Config


def configured_gateways(config: Config) -> tuple[Gateway, ...]:
    """The gateways of an installation, the preferred first; in demo mode the console alone."""
    if config.demo:
        return (ConsoleGateway(),)
    return (*_mail(config), *_for_telephones(config))


def hooked_gateway(config: Config, name: str) -> HookedGateway | None:
    """The gateway of that name, if the installation has it and the other side calls it."""
    if config.demo:
        return None
    return next((gateway for gateway in _for_telephones(config) if gateway.name == name), None)


def _mail(config: Config) -> tuple[Gateway, ...]:
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


def _for_telephones(config: Config) -> tuple[HookedGateway, ...]:
    settings, seconds = config.gateways, config.send_timeout_seconds
    found: list[HookedGateway] = []
    if settings.whatsapp is not None:
        found.append(WhatsAppGateway(settings.whatsapp, seconds))
    if settings.twilio_whatsapp is not None:
        found.append(TwilioWhatsAppGateway(settings.twilio_whatsapp, seconds))
    if settings.kannel is not None:
        found.append(KannelGateway(settings.kannel, seconds))
    if settings.twilio is not None:
        found.append(TwilioGateway(settings.twilio, seconds))
    return tuple(found)
