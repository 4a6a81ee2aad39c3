"""One use of the bot from the check of access to the audit line; every path ends with an answer to the asker."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import replace

from bot import phone
from bot.cxone.errors import CXoneError, DeadlineError
from bot.cxone.investigate import ConversationNotFound, Query
from bot.diagnosis.handover import Report
from bot.slack import blocks as b
from bot.slack import messages, messages_answers, replies
from bot.slack.access import Refused
from bot.slack.replies import Posted
from bot.slack.services import Asker, Services
from bot.store.engine import StoreError

log = logging.getLogger(__name__)

_ACK_SECONDS = 0.05  # in which an ack is out: Bolt looks every 10 ms whether there is one

Say = Callable[[b.Message], object]
Work = Callable[[Asker], str]  # returns the result for the audit


def serve(
    services: Services,
    asker: Asker,
    *,
    name: str,
    subject: str,
    work: Work,
    say: Say,
    number: phone.Number | None = None,
) -> None:
    """Do the work for somebody who may ask for it; `say` tells them what went wrong."""
    try:
        result = _worked(services, asker, work, say)
    except Exception:
        reference = secrets.token_hex(4)
        log.exception("%s failed, reference %s", name, reference)
        result = f"failed: {reference}"
        _last_words(say, messages_answers.broken(reference))
    services.use(asker, name, subject, result, number)


def allowed(services: Services, asker: Asker) -> Asker:
    """The asker with their time zone. Raises Refused."""
    person = services.access.check(asker.user_id, asker.channel_id, asker.channel_name)
    return replace(asker, zone=person.zone)


def privately(services: Services, asker: Asker, patience: float = replies.PATIENCE) -> Say:
    """How to tell the asker something that nobody else reads. Without patience where acks are waiting."""

    def say(message: b.Message) -> bool:
        if asker.acked_at is not None:
            early = asker.acked_at + _ACK_SECONDS - services.clock.monotonic()
            if early > 0:
                services.clock.sleep(early)
        return replies.tell(
            services.client,
            services.clock,
            b.of_tenant(message, services.tenant),
            response_url=asker.response_url,
            channel=asker.channel_id,
            user=asker.user_id,
            patience=patience,
        )

    return say


def look_up(services: Services, query: Query) -> Report:
    """Look it up, under the deadline of one use."""
    with services.deadline() as deadline:
        return services.lookups.look_up(query, deadline=deadline)


def deliver(services: Services, asker: Asker, report: Report, *, private: bool = False) -> str:
    """The diagnosis to the channel; to the asker alone if they want that, or the bot cannot post there."""
    now = services.clock.now()
    say = privately(services, asker)
    outcome = report.diagnosis.outcome.value
    if private:
        say(messages.diagnosis(report, asked_by=asker.user_id, now=now, shareable=True))
        return outcome
    message = messages.diagnosis(report, asked_by=asker.user_id, now=now)
    hurry = services.pool.closing.is_set()
    posted = services.poster.post(asker.channel_id, b.of_tenant(message, services.tenant), asker.thread_ts, hurry=hurry)
    if posted is Posted.UNSURE:
        say(messages_answers.unsure())
    elif posted is not Posted.YES:
        note = messages_answers.invite() if posted is Posted.CLOSED else messages_answers.not_posted()
        say(b.message([note, *message.blocks]))
    return outcome


def _worked(services: Services, asker: Asker, work: Work, say: Say) -> str:
    stopping = services.pool.closing
    try:
        if not stopping.is_set():
            return work(allowed(services, asker))
    except Refused as fault:
        say(messages_answers.said_plainly(fault.sentence))
        return f"refused: {fault.reason}"
    except ConversationNotFound as fault:
        say(messages_answers.not_found(fault.searched, fault.sentence))
        return "not_found"
    except StoreError as fault:
        say(messages_answers.said_plainly(str(fault)))
        return "failed: database"
    except CXoneError as fault:
        if not (stopping.is_set() and isinstance(fault, DeadlineError)):  # cut, whatever its sentence advises
            say(messages_answers.failed(fault.sentence, fault.call))
            return f"failed: {type(fault).__name__} {fault.status or ''}".strip()
    say(messages_answers.restarting())
    return "restarted"


def _last_words(say: Say, message: b.Message) -> None:
    try:
        say(message)
    except Exception:
        log.exception("an answer reached nobody")
