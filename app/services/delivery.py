"""Delivering: claims what is due, hands it to its gateway outside any transaction, writes the end.

Messages go some at a time: one commit before the wire, a few texts on it at once, one commit after.
Nothing here logs a text, a code or an address, nor an error's own words, which may hold them.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing
from typing import Final

from flask import current_app

from app.gateways import Gateway, Permanent, Receipt, Retryable
from app.gateways.configured import configured_gateways
from app.services import outbox
from app.services.handing import Handing, begin_handings
from app.services.outbox import Answer, Claimed
from scheduler import clock
from scheduler.clock_watch import ClockWatch

log = logging.getLogger(__name__)

AT_ONCE: Final = 50
"""How many messages a worker claims at the most, unless more leave at once."""
_WRITE_EVERY_SECONDS: Final = 0.05
"""What a worker that is killed in between may have sent without a word of it."""
_AFTER_A_FAULT_SECONDS: Final = 10.0
_TOO_LONG_SECONDS: Final = 5.0
"""A gateway that takes no text in so long rests a while: the others' texts wait for its answer."""
_RESTS_FOR_SECONDS: Final = 30.0
_HANGS_FOR_SECONDS: Final = 6.0
"""While it hangs it rests for so long, again and again."""
_LOOK_AGAIN_AFTER_SECONDS: Final = 1.0
"""How often a worker that has nothing but texts that hang looks for others."""
_WRITE_AGAIN_AFTER_SECONDS: Final = (0.2, 1.0, 3.0, 5.0)
"""A database that is gone for a moment shall not leave doubt about what has left."""


def deliver_due(stop: threading.Event, watch: ClockWatch | None = None) -> None:
    """Deliver what is due until nothing is, or `stop` is set; the sends under way are finished.

    `watch` knows whether the clock was set lately, by which leases seem to be over.
    """
    gateways = configured_gateways(current_app.config["N9RAW"])
    with ExitStack() as stack:
        pools = {
            gateway.name: stack.enter_context(ThreadPoolExecutor(gateway.sends_at_once))
            for gateway in gateways
        }
        hands = sum(gateway.sends_at_once for gateway in gateways) or 1
        # In whole rounds: one for the last two of fifty costs as much as one for sixteen.
        at_once = max(1, AT_ONCE // hands) * hands
        wire = stack.enter_context(closing(_Wire(pools, stop)))
        while not stop.is_set():
            batch = outbox.claim_messages(at_once, watch)
            if not batch and not wire.is_busy:
                return
            if not batch:
                wire.take_in(_LOOK_AGAIN_AFTER_SECONDS)
            for begin in range(0, len(batch), hands):
                if stop.is_set():
                    outbox.give_back(batch[0].claim)
                    return
                wire.send(_made_ready(batch[begin : begin + hands], gateways))


def _made_ready(batch: Sequence[Claimed], gateways: Sequence[Gateway]) -> list[Handing]:
    """Those of a batch that may leave now. One that breaks doesn't hold up the others."""
    try:
        return begin_handings(batch, gateways)
    except Exception as fault:
        if len(batch) > 1:
            log.info("a batch is made ready one by one: %s", type(fault).__name__)
            return [each for one in batch for each in _made_ready([one], gateways)]
        _log_fault(batch[0].id, fault)
    try:
        outbox.hold_back(batch[0], _AFTER_A_FAULT_SECONDS)
    except Exception as fault:
        _log_fault(batch[0].id, fault)  # Its lease runs out.
    return []


class _Wire:
    """The texts that are being sent, each gateway's by its own hands.

    One that hangs keeps its texts here, and is handed no more, while the others go on.
    """

    def __init__(self, pools: dict[str, ThreadPoolExecutor], stop: threading.Event) -> None:
        self._pools = pools
        self._stop = stop
        self._sent: dict[Future[Answer | None], tuple[str, float]] = {}
        self._rest_again: dict[str, float] = {}

    @property
    def is_busy(self) -> bool:
        return bool(self._sent)

    def send(self, handings: Sequence[Handing]) -> None:
        """Send texts, as many at once as their gateways take, until all are done or hang."""
        began, now = time.monotonic(), clock.now()
        for handing in handings:
            turn = began + (handing.leaves_at - now).total_seconds()
            name = handing.gateway.name
            sent = self._pools[name].submit(_send, handing, turn, self._stop)
            self._sent[sent] = name, turn
        while self._sent and not self._all_hang():
            self.take_in(_WRITE_EVERY_SECONDS)

    def close(self) -> None:
        """Wait for all that is under way, and write what came of it."""
        while self._sent:
            self.take_in(_WRITE_EVERY_SECONDS)

    def take_in(self, seconds: float) -> None:
        """Write what came of texts within so long; leave those gateways alone that take long."""
        ended = {each: self._sent[each] for each in wait(self._sent, timeout=seconds).done}
        answers = [answer for each in ended if (answer := each.result()) is not None]
        if answers:
            _write(answers)
        slow = {name for each, (name, turn) in ended.items() if _took_too_long(each.result(), turn)}
        for each in ended:
            del self._sent[each]
        for name in sorted(slow):
            log.warning("%s takes too long: it is left alone for a while", name)
            _leave_alone(name, _RESTS_FOR_SECONDS)
        for name in sorted({name for name, turn in self._sent.values() if _is_late(turn)} - slow):
            if time.monotonic() >= self._rest_again.get(name, 0.0):
                _leave_alone(name, _HANGS_FOR_SECONDS)
                self._rest_again[name] = time.monotonic() + _HANGS_FOR_SECONDS / 2

    def _all_hang(self) -> bool:
        return all(_is_late(turn) for _name, turn in self._sent.values())


def _is_late(turn: float) -> bool:
    return time.monotonic() > turn + _TOO_LONG_SECONDS


def _took_too_long(answer: Answer | None, turn: float) -> bool:
    """Whether a gateway kept a text waiting for long since its turn, and did not take it."""
    is_taken = answer is not None and isinstance(answer.said, Receipt)
    return not is_taken and _is_late(turn)


def _leave_alone(gateway_name: str, seconds: float) -> None:
    try:
        outbox.leave_alone(gateway_name, seconds)
    except Exception as fault:
        log.warning("%s could not be left alone: %s", gateway_name, type(fault).__name__)


def _send(handing: Handing, turn: float, stop: threading.Event) -> Answer | None:
    """Send one text at its turn; None where it may have left or not. Touches no database."""
    message_id, gateway = handing.claimed.id, handing.gateway
    if stop.wait(max(0.0, turn - time.monotonic())):
        return Answer(handing.claimed, None)
    said: Receipt | Retryable | Permanent
    try:
        said = gateway.send(handing.outgoing)
    except Retryable as refusal:
        if refusal.in_doubt:
            # Left as it is: it waits for a receipt, then is sent once more.
            log.warning("message %s may have left by %s: %s", message_id, gateway.name, refusal)
            return None
        said = refusal
    except Permanent as refusal:
        said = refusal
    except Exception as fault:
        _log_fault(message_id, fault)  # left as it is, since it may have left
        return None
    return Answer(handing.claimed, said)


def _write(answers: Sequence[Answer]) -> None:
    """Write what came of texts; where that can't be, they stay in doubt."""
    for seconds in _WRITE_AGAIN_AFTER_SECONDS:
        try:
            _write_once(answers)
        except Exception as fault:
            log.warning("the end of %s messages: %s", len(answers), type(fault).__name__)
            time.sleep(seconds)
        else:
            return
    for answer in answers:
        try:
            _write_once([answer])
        except Exception as fault:
            _log_fault(answer.claimed.id, fault)


def _write_once(answers: Sequence[Answer]) -> None:
    states = outbox.record_answers(answers)
    for answer in answers:
        number = answer.claimed.id
        if number not in states:
            log.info("message %s was settled by a receipt or another worker", number)
        elif isinstance(answer.said, Retryable | Permanent):
            log.warning("message %s: %s; it is now %s", number, answer.said, states[number])


def _log_fault(message_id: int, fault: Exception) -> None:
    where = "".join(traceback.format_tb(fault.__traceback__))
    log.error("message %s: %s\n%s", message_id, type(fault).__name__, where)
