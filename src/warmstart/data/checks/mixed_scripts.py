"""Texts in another script than the rest, and words that mix scripts, as with Cyrillic letters in Latin."""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found, count

WORD = re.compile(r"[^\W\d_]{2,}")
ALIKE = ("Latin", "Cyrillic", "Greek")  # scripts whose letters are taken for each other
EASTERN = ("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "KANGXI")  # in one text they are one script
WIDTHS = ("FULLWIDTH", "HALFWIDTH", "MODIFIER")


@dataclass(frozen=True)
class MixedScripts:
    """Reported and kept; the script of a text is that of most of its letters.

    A script tells languages apart only where they are written differently: English and French are one.
    """

    main: float = 0.8  # share of the texts from which on the others are exceptions
    letters: int = 3  # a text with fewer has no script
    order: int = 65
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        if draft.kind != "text":
            return []
        texts = draft.values("text")
        scripts = [self._script(text) for text in texts]
        counts = Counter(script for script in scripts if script)
        mixed = [row for row, text in enumerate(texts) if not text.isascii() and mixes(text)]
        found = self._several(draft, scripts, counts) if len(counts) > 1 else []
        if mixed:
            first = mixes(texts[mixed[0]])
            what = f"{count(len(mixed), 'text')} with words of mixed scripts, such as {ascii(first)}"
            do = "kept; letters of another script that look the same hide a word from a model"
            finding = Finding("mixed_scripts", "warning", what, do, len(mixed), draft.places(mixed))
            found.append(Found(finding))
        return found

    def _script(self, text: str) -> str:
        """The script of most letters; "" for a text with few."""
        if text.isascii():
            return "Latin" if sum(map(str.isalpha, text[:200])) >= self.letters else ""
        counts: Counter[str] = Counter()
        for letter, number in Counter(text).items():
            counts[script_of(letter)] += number
        del counts[""]
        return counts.most_common(1)[0][0] if counts.total() >= self.letters else ""

    def _several(self, draft: Draft, scripts: list[str], counts: Counter[str]) -> list[Found]:
        (first, number), *_ = counts.most_common(1)
        if number >= self.main * counts.total():
            rows = [row for row, script in enumerate(scripts) if script not in ("", first)]
            others = ", ".join(f"{s} {n:,}" for s, n in counts.most_common(5) if s != first)
            what = f"{count(len(rows), 'text')} of {len(draft):,} in another script than {first}: {others}"
            do = "kept; remove them if they are strays, or choose a model that reads both"
            return [Found(Finding("mixed_scripts", "note", what, do, len(rows), draft.places(rows)))]
        shares = ", ".join(f"{s} {100 * n / counts.total():.0f} %" for s, n in counts.most_common(5))
        do = "choose a model that reads all of them, and see that each class has rows of each"
        return [
            Found(Finding("mixed_scripts", "note", f"texts in several scripts: {shares}", do, len(counts)))
        ]


@lru_cache(maxsize=20_000)
def script_of(letter: str) -> str:
    """ "Latin", "Cyrillic", "Han and kana", ... by the letter's name; "" for what is no letter."""
    if not letter.isalpha():
        return ""
    name, *more = unicodedata.name(letter, "").split(" ")
    name = more[0] if name in WIDTHS and more else name
    if name in EASTERN:
        return "Han and kana"
    return "" if name in ("MATHEMATICAL", "MASCULINE", "FEMININE", "MICRO", "LETTER") else name.capitalize()


def mixes(text: str) -> str:
    """The first word whose letters are of two scripts that look alike; "" if there is none."""
    for word in WORD.findall(text):
        if not word.isascii() and len({script_of(letter) for letter in word} & {*ALIKE}) > 1:
            return str(word)
    return ""


CHECK = MixedScripts
