"""Counts, times, settings and names as a reader expects them; and what makes a text safe to print."""

import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from warmstart.base.types import Baseline, Entrant, Phase, Race, Reason
from warmstart.report.units import ABSENT, PLAIN

# What moves the cursor, colours or retitles a terminal: CSI sequences; OSC and its kin up to BEL or ST.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
)
# Controls, line separators, and the marks that turn the direction of writing.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+")

VERDICTS = {"worth it": "Worth it", "not worth it": "Not worth it", "cannot tell": "The data cannot tell"}


def after_verdict(verdict: str, headline: str) -> str:
    """The headline without the verdict in front, for places that show the verdict above it."""
    start = f"{verdict}: "
    if not headline.lower().startswith(start.lower()):
        return headline
    rest = headline[len(start) :]
    return capital(rest)


def capital(sentence: str) -> str:
    """The sentence with a capital letter in front."""
    return sentence[:1].upper() + sentence[1:]


def recommendation(name: str, so: str) -> str:
    """The recommended run and why, its name once: "frozen; cheaper than full and as good"."""
    return so if so.startswith(name) else f"{name}; {so}"


def finish(race: Race) -> list[Entrant]:
    """The entrants in the order that they came in."""
    place = {source: number for number, source in enumerate(race.order)}
    return sorted(race.entrants, key=lambda one: place.get(one.source, len(place)))


def hindsight(race: Race | None, tuned: bool = False) -> tuple[Reason, ...]:
    """What a race says of the ranking, and what the runner-up, if it was tuned, says of the race."""
    rules = ("race: the ranking in hindsight", *(("race: the runner-up",) if tuned else ()))
    said = race.reasons if race and race.entrants else ()
    return tuple(reason for reason in said if reason.rule in rules)


def unaided(baseline: Baseline) -> str:
    """What answers without a network, out of fold: "a bag of words: -0.51 [-0.56, -0.47], 85.1 % right"."""
    score = PLAIN.reading(baseline.score.value, baseline.score.low, baseline.score.high)
    return f"{baseline.plain}: {score}, {100 * baseline.accuracy.value:.1f} % right"


def count(number: float) -> str:
    """A whole number with thousands set apart: "22,713,216"."""
    return f"{number:,.0f}"


def amount(number: float) -> str:
    """A large number in short: "512", "61.0 k", "22.7 M", "1.3 B"."""
    for size, name in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(number) >= size * 0.99995:
            return f"{number / size:.1f} {name}"
    return f"{number:.0f}"


def size(number: float) -> str:
    """Bytes in short: "", "812 B", "61.0 kB", "45.4 MB", "1.3 GB"; nothing where they are unknown."""
    shown = amount(number)
    unit = {"k": "kB", "M": "MB", "B": "GB"}.get(shown[-1:], "")
    return "" if number <= 0 else f"{shown[:-1]}{unit}" if unit else f"{shown} B"


def clock(seconds: float) -> str:
    """A duration: "0 s", "0.42 s", "7.5 s", "3 min 12 s", "1 h 04 min"."""
    if not isfinite(seconds):
        return ABSENT
    if seconds == 0:
        return "0 s"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 0.995 else f"{seconds:.1f} s"
    if seconds < 3599.5:
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes} min {rest:02} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min"


def chance(p: float) -> str:
    """A p-value: "0.012", "< 0.001"."""
    if not isfinite(p):
        return ABSENT
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_value(p: float) -> str:
    """A p-value with its name: "p = 0.012", "p < 0.001"."""
    return f"p {chance(p)}" if p < 0.001 else f"p = {chance(p)}"


def rate(number: float) -> str:
    """A learning rate or another setting without trailing zeros: "2e-5", "0.001"."""
    return re.sub(r"e\+?(-?)0*", r"e\1", f"{number:g}")


def moment(created: str) -> str:
    """An ISO 8601 time to the minute: "2026-11-22 06:43 UTC"."""
    return (
        f"{created[:16].replace('T', ' ')} UTC"
        if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d", created)
        else created
    )


def one_line(text: str) -> str:
    """`text` without terminal escapes, controls and marks of direction, on one line."""
    return " ".join(_CONTROLS.sub(" ", _ESCAPES.sub("", text)).split())


def short(text: str, width: int = 28) -> str:
    """`text` with its middle left out where it is longer than `width` characters."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 2
    return f"{text[: width - 1 - tail]}…{text[-tail:]}" if tail else f"{text[: width - 1]}…"


def spoken(name: str) -> str:
    """A key as words: "frozen_unmoved" -> "frozen unmoved"."""
    return name.replace("_", " ")


def flat(table: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested tables with their path in words: ("full: frozen unmoved", True)."""
    for key, value in table.items():
        here = f"{path}: {spoken(str(key))}" if path else spoken(str(key))
        if isinstance(value, Mapping):
            yield from flat(value, here)
        else:
            yield here, value


def setting(value: Any) -> str:
    """A setting's or a proof's value as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return rate(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(map(setting, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{k} = {setting(v)}" for k, v in value.items())
    return str(value)


def settings(part: Mapping[str, Any]) -> str:
    """The settings of an edit or a guard, without its name: "weight = 0.01, every = 2"."""
    return setting({k: v for k, v in part.items() if k != "name"})


def part(table: Mapping[str, Any]) -> str:
    """An edit or a guard with its settings: "l2 sp (weight = 0.01)"."""
    name, values = spoken(str(table.get("name", ""))), settings(table)
    return f"{name} ({values})" if values else name


def learners(phase: Phase) -> str:
    """The layer groups that learn in a phase: "everything", "head", "block.5, head"."""
    return "everything" if phase.learn == ("*",) else ", ".join(phase.learn)


def training(phase: Phase) -> str:
    """A phase in words: "everything for 8 epochs at a rate of 2e-5, decay 0.9 per group"."""
    if phase.solver == "logistic":
        return f"{learners(phase)}, solved exactly as a logistic regression"
    decay = f", decay {rate(phase.decay)} per group" if phase.decay != 1 else ""
    epochs = f"{phase.epochs} epoch{'s' * (phase.epochs != 1)}"
    return f"{learners(phase)} for {epochs} at a rate of {rate(phase.lr)}{decay}"


def utf8(text: str) -> str:
    r"""`text` as UTF-8 can hold it: half a surrogate pair (from a file name) becomes "\udcff"."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
