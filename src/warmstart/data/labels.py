"""Class names: what counts as the same name, and in which order they stand."""

import re
import unicodedata
from collections.abc import Iterable


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that counts: "2" before "10", "digit_2" before "digit_10"; numbers of any length."""
    key = []
    for part in filter(None, re.split(r"([0-9]+)", name)):
        digits = part.lstrip("0")
        key.append((0, len(digits), digits) if part[0] in "0123456789" else (1, 0, part))
    return tuple(key)


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names), key=lambda name: (natural(name), name)))


def plain(name: str) -> str:
    """The name without what nobody sees: outer and doubled blanks, and how accents are composed."""
    return " ".join(unicodedata.normalize("NFC", name).split())
