"""What gateways call us for: verified and read by the gateway, then kept before it is answered."""

from __future__ import annotations

import logging

from flask import current_app

from app.gateways import Hook, HookAnswer, HookRefused, Received
from app.gateways.configured import hooked_gateway
from app.services import inbound, outbox

log = logging.getLogger(__name__)


def take_hook(gateway_name: str, hook: Hook) -> HookAnswer:
    """Keep what a gateway's other side brought; what it is answered once all is committed.

    Each receipt and text is a commit of its own, and one that is known already changes nothing:
    where one fails, the fault comes out, the other side calls again, and the rest follows.
    """
    gateway = hooked_gateway(current_app.config["N9RAW"], gateway_name)
    if gateway is None:
        return HookAnswer(status=404)
    try:
        received = gateway.receive(hook)
    except HookRefused as refusal:
        log.warning("a call in the name of %s was refused: %s", gateway_name, refusal)
        return HookAnswer(status=refusal.status)
    _keep(gateway_name, received)
    return received.answer


def _keep(gateway_name: str, received: Received) -> None:
    for receipt in received.receipts:
        outbox.take_receipt(gateway_name, receipt)
    for text in received.texts:
        inbound.take_text(gateway_name, text)
    for call in received.calls:
        inbound.take_call(gateway_name, call)
