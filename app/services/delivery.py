"""Delivering: claims what is due, hands it to its gateway outside any transaction, writes the end.

Nothing here logs a text, a code or an address, nor an error's own words, which may hold them.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Sequence

from flask import current_app

from app.gateways import Gateway, Permanent, Receipt, Retryable
from app.gateways.configured import configured_gateways
from app.services import outbox
from app.services.handing import Handing, begin_handing
from app.services.outbox import Claimed

log = logging.getLogger(__name__)

_BATCH = 20
_AFTER_A_FAULT_SECONDS = 10.0


def deliver_due(stop: threading.Event) -> None:
    """Deliver what is due until nothing is, or `stop` is set; the send under way is finished."""
    gateways = configured_gateways(current_app.config["N9RAW"])
    while not stop.is_set():
        batch = outbox.claim_messages(_BATCH)
        for claimed in batch:
            if stop.is_set():
                outbox.give_back(claimed)
                return
            stop.wait(_deliver(claimed, gateways))
        if len(batch) < _BATCH:
            return


def _deliver(claimed: Claimed, gateways: Sequence[Gateway]) -> float:
    """Deliver one message; how long its gateway wants to rest, in seconds."""
    began = time.monotonic()
    try:
        handing = begin_handing(claimed, gateways)
    except Exception as fault:
        _log_fault(claimed.id, fault)
        outbox.hold_back(claimed, _AFTER_A_FAULT_SECONDS)
        return 0.0
    if handing is None:
        return 0.0
    _send(handing)
    per_second = handing.gateway.per_second
    return 0.0 if per_second is None else max(0.0, began + 1 / per_second - time.monotonic())


def _send(handing: Handing) -> None:
    message_id, gateway = handing.claimed.id, handing.gateway
    try:
        receipt = gateway.send(handing.outgoing)
    except Retryable as refusal:
        if refusal.in_doubt:
            # Left as it is: it waits for a receipt, then is sent once more.
            log.warning("message %s may have left by %s: %s", message_id, gateway.name, refusal)
            return
        state = outbox.record_retry(handing.claimed, str(refusal))
        log.info("message %s: %s; it is now %s", message_id, refusal, state)
    except Permanent as refusal:
        outbox.record_failed(handing.claimed, str(refusal))
        log.warning("message %s failed: %s", message_id, refusal)
    except Exception as fault:
        _log_fault(message_id, fault)  # left as it is, since it may have left
    else:
        _record(handing, receipt)


def _record(handing: Handing, receipt: Receipt) -> None:
    if not outbox.record_receipt(handing.claimed.id, receipt, handing.claimed.claim):
        log.warning("message %s was taken over by another worker", handing.claimed.id)


def _log_fault(message_id: int, fault: Exception) -> None:
    where = "".join(traceback.format_tb(fault.__traceback__))
    log.error("message %s: %s\n%s", message_id, type(fault).__name__, where)
