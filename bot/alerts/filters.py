"""What a subscription asks for: the record, how it is typed, and whether a failed handover matches it. Pure.

As typed after `subscribe`: `outcome=rejected,ignored fault=flow target=Billing exclude=abandoned min=5/10m rate=10%`.
`exclude=` takes outcomes, faults and targets alike. The canonical form, `str(filters)`, is what is stored and echoed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypeVar

from bot.diagnosis.outcomes import TABLE, Fault, Outcome, Threshold

FORM = "outcome=rejected  fault=flow  target=Billing  exclude=abandoned  min=5/10m  rate=10%"
LONGEST_MINUTES = 24 * 60
T = TypeVar("T")
_LIST = re.compile(r'(?:"[^"]*"|[^",]*)(?:,(?:"[^"]*"|[^",]*))*')  # quotation marks around whole names alone


class FilterError(ValueError):
    """A word that is no filter. `word` is what was typed, the message a sentence with the right form."""

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word


@dataclass(frozen=True, slots=True)
class Filters:
    """One subscription's wishes. Empty tuples and None mean: no wish, the defaults of the outcome table hold."""

    outcomes: tuple[Outcome, ...] = ()
    faults: tuple[Fault, ...] = ()
    targets: tuple[str, ...] = ()  # ids or names, compared without case
    exclude: tuple[str, ...] = ()  # outcomes, faults, target ids or names, lower case
    failures: int | None = None  # min=
    minutes: int | None = None
    rate: float | None = None  # 0.0 to 1.0

    def __str__(self) -> str:
        """As one would type it; parses back to the same record."""
        words = [
            _listed("outcome", self.outcomes),
            _listed("fault", self.faults),
            _listed("target", self.targets),
            _listed("exclude", self.exclude),
        ]
        if self.failures is not None:
            words.append(f"min={self.failures}" + (f"/{self.minutes}m" if self.minutes is not None else ""))
        if self.rate is not None:
            words.append(f"rate={self.rate * 100:g}%")
        return " ".join(word for word in words if word)

    @property
    def narrows(self) -> bool:
        """Whether it wants to hear of some failures only."""
        return bool(self.outcomes or self.faults or self.targets or self.exclude)

    def matches(self, *, outcome: Outcome, fault: Fault, target_id: str, target_name: str) -> bool:
        """Whether a failed handover is one that this subscription wants to hear of."""
        row = TABLE[outcome]
        names = {target_id.casefold(), target_name.casefold()} - {""}
        if {outcome.value, fault.value, *names} & {word.casefold() for word in self.exclude}:
            return False
        if self.outcomes and outcome not in self.outcomes:
            return False
        if self.faults and fault not in self.faults:
            return False
        if self.targets and not names & {word.casefold() for word in self.targets}:
            return False
        return row.alerts is not None or (row.on_request and outcome in self.outcomes)

    def threshold(self, outcome: Outcome) -> Threshold:
        """From when on this subscription hears of an outcome. `min=` alone asks for no rate."""
        usual = TABLE[outcome].alerts or Threshold(1)
        if self.failures is not None:
            usual = Threshold(self.failures, self.minutes or usual.minutes, 0.0)
        return usual if self.rate is None else usual._replace(rate=self.rate)


def parse(text: str) -> Filters:
    """Read filters as typed. Raises FilterError for the first word that is none."""
    filters = Filters()
    for word in _split(text):
        filters = _with(filters, word)
    return filters


def stored(text: str) -> Filters | None:
    """Read filters as stored; None if an earlier version wrote what cannot be read back."""
    try:
        return parse(text)
    except FilterError:
        return None


def _with(filters: Filters, word: str) -> Filters:
    name, sign, value = word.partition("=")
    parts = _parts(value)
    if not sign or not parts:
        raise FilterError(word, f"“{word}” is no filter. The form is: {FORM}")
    if not _LIST.fullmatch(value):
        raise FilterError(word, f'“{word}”: quotation marks go around a whole name, such as target="Billing EU"')
    value = ",".join(parts)
    match name.casefold():
        case "outcome":
            return replace(filters, outcomes=_merge(filters.outcomes, [_outcome(word, one) for one in parts]))
        case "fault":
            return replace(filters, faults=_merge(filters.faults, [_fault(word, one) for one in parts]))
        case "target":
            return replace(filters, targets=_merge(filters.targets, parts))
        case "exclude":
            return replace(filters, exclude=_merge(filters.exclude, [one.casefold() for one in parts]))
        case "min":
            failures, minutes = _minimum(word, value)
            return replace(filters, failures=failures, minutes=minutes)
        case "rate":
            return replace(filters, rate=_rate(word, value))
        case _:
            raise FilterError(word, f"“{word}” is no filter. The form is: {FORM}")


def _split(text: str) -> list[str]:
    """Words, with quoted names kept whole: target="Billing EU"."""
    text = re.sub("[“”]", '"', text)
    if text.count('"') % 2:
        raise FilterError(text, f"“{text}”: a quotation mark is not closed. The form is: {FORM}")
    return re.findall(r'(?:[^\s"]|"[^"]*")+', text)


def _parts(value: str) -> list[str]:
    """The names of a list without their quotation marks, which only keep blanks and commas in them: Sales,"Team A"."""
    bare = (_bare(part.strip('"')) for part in re.findall(r'"[^"]*"|[^",]+', value))
    return [part for part in bare if part.strip(", ")]


def _bare(name: str) -> str:
    """A name without the pair of apostrophes around it; an apostrophe in it stays."""
    name = name.strip()
    while len(name) > 1 and name[0] == name[-1] == "'":
        name = name[1:-1].strip()
    return name


def _merge(old: tuple[T, ...], new: list[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys([*old, *new]))


def _outcome(word: str, value: str) -> Outcome:
    known = [outcome for outcome, row in TABLE.items() if row.alerts is not None or row.on_request]
    for outcome in known:
        if outcome.value == value.casefold().replace("-", "_"):
            return outcome
    raise FilterError(word, f"“{word}”: no such outcome. Those that alert: {', '.join(known)}")


def _fault(word: str, value: str) -> Fault:
    try:
        return Fault(value.casefold())
    except ValueError:
        raise FilterError(word, f"“{word}”: no such side. The sides: {', '.join(Fault)}") from None


def _minimum(word: str, value: str) -> tuple[int, int | None]:
    found = re.fullmatch(r"(\d{1,6})(?:/(\d{1,4})\s*(m|min|h)?)?", value.casefold())
    if found is None or not int(found[1]):
        raise FilterError(word, f"“{word}” is not understood. The form is: min=5/10m or min=1")
    if found[2] is None:
        return int(found[1]), None
    minutes = int(found[2]) * (60 if found[3] == "h" else 1)
    if not 1 <= minutes <= LONGEST_MINUTES:
        raise FilterError(word, f"“{word}”: the window is 1 minute to 24 hours. The form is: min=5/10m")
    return int(found[1]), minutes


def _rate(word: str, value: str) -> float:
    found = re.fullmatch(r"(\d{1,3}(?:\.\d{1,3})?)\s*%?", value)
    if found is None or not 0 < float(found[1]) <= 100:  # noqa: PLR2004 - percent
        raise FilterError(word, f"“{word}” is not understood. The form is: rate=10%")
    return float(found[1]) / 100


def _listed(name: str, values: tuple[str, ...]) -> str:
    quoted = (f'"{value}"' if re.search(r"[\s,]", value) else value for value in values)
    return f"{name}={','.join(quoted)}" if values else ""
