"""Rules for what only Cognigy's log, the telephony and the contacts API can show, each as in `rules`.

The bot asks by a signal to a contact: the node may have no contact to signal, the signal may go to the wrong one, a
transfer by telephone may be refused with a SIP code, and the queue's hours of that day are known.
"""

from __future__ import annotations

import re

from bot.diagnosis import codes
from bot.diagnosis.case import MISSING_CONTACT_ID, UNSUPPORTED, Case, Verdict, family
from bot.diagnosis.handover import TargetKind
from bot.diagnosis.outcomes import Code, Confidence, Fault, Outcome
from bot.diagnosis.reasons import Family

_SIP = re.compile(r"^SIP (\d{3})$")
_NO_SUCH_NUMBER = (404, 484, 604)
_NOT_TAKEN_THERE = (480, 486, 487, 600, 603)


def sip_status(case: Case) -> int | None:
    """The SIP code that a transfer by telephone was refused with."""
    rejection = case.request.rejection
    found = _SIP.match(rejection.code) if rejection is not None else None
    return int(found[1]) if found else None


def nothing_to_signal(case: Case) -> Verdict | None:
    """The handover node had no contact to signal."""
    rejection = case.request.rejection
    if rejection is None or rejection.code != MISSING_CONTACT_ID:
        return None
    return Verdict(Outcome.MALFORMED, Code.MISSING_CONTACT_ID, Confidence.CERTAIN)


def channel_without_handover(case: Case) -> Verdict | None:
    """The bot's channel knows no handover."""
    rejection = case.request.rejection
    if rejection is None or rejection.code != UNSUPPORTED:
        return None
    return Verdict(Outcome.MALFORMED, Code.UNSUPPORTED_CHANNEL, Confidence.CERTAIN)


def refused_by_telephony(case: Case) -> Verdict | None:
    """The voice gateway's transfer was answered by a SIP code."""
    status = sip_status(case)
    if status is None:
        return None
    if status in _NO_SUCH_NUMBER:
        return Verdict(Outcome.INVALID_TARGET, Code.SIP_REFUSED, Confidence.CERTAIN)
    side = Fault.UNKNOWN
    if status in _NOT_TAKEN_THERE:
        side = Fault.TARGET
    elif codes.is_platform(status):
        side = Fault.PLATFORM
    sure = Confidence.CERTAIN if side is not Fault.UNKNOWN else Confidence.LIKELY
    return Verdict(Outcome.REJECTED, Code.SIP_REFUSED, sure, fault=side)


def signal_not_taken(case: Case) -> Verdict | None:
    """CXone did not know the contact that was signalled: it had ended, or the id was another's."""
    rejection = case.request.rejection
    if rejection is None or rejection.source != "Cognigy" or family(case) is not Family.INVALID:
        return None
    other = ("the signal's values were not valid",)
    return Verdict(Outcome.INVALID_TARGET, Code.WRONG_CONTACT, Confidence.POSSIBLE, other)


def signal_to_the_main_contact(case: Case) -> Verdict | None:
    """The signal went to the caller's own contact, while the script that waits for it runs in the spawned one."""
    if not case.request.event.properties.get("signalledMain"):
        return None
    other = "the script behind the main contact was meant to take the signal and did not"
    return Verdict(Outcome.INVALID_TARGET, Code.WRONG_CONTACT, Confidence.POSSIBLE, (other,))


def closed_at_that_time(case: Case) -> Verdict | None:
    """It never came to the queue, and the queue was closed then: the script's branch for it, not a deaf script."""
    target = case.target
    if case.profile != "contacts" or target is None or target.closed_then is not True:
        return None
    other = ("the script does not listen, and the hours had nothing to do with it",)
    return Verdict(Outcome.REJECTED, Code.TARGET_CLOSED, Confidence.POSSIBLE, other, Fault.TARGET)


def queue_for_another_medium(case: Case) -> Verdict | None:
    """It never came to the queue, and the queue is one for chats, or for calls that go out."""
    target = case.target
    if target is None or target.kind is not TargetKind.QUEUE or target.takes_calls is not False:
        return None
    return Verdict(Outcome.INVALID_TARGET, Code.WRONG_MEDIUM, Confidence.LIKELY)
