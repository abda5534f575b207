"""Texts with characters that no keyboard types: signs of a damaged file or of a wrong decoding."""

import re
from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import Draft, Found, count

NUL = "\0"
ODD = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffd]")  # not tab, line ends, NEL


@dataclass(frozen=True)
class ControlCharacters:
    """Texts with NUL are dropped; other control characters and U+FFFD are reported and kept."""

    order: int = 60
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        if draft.kind != "text":
            return []
        texts = draft.values("text")
        nul = [row for row, text in enumerate(texts) if NUL in text]
        odd = [row for row, text in enumerate(texts) if NUL not in text and ODD.search(text)]
        found = []
        if nul:
            what = f"{count(len(nul), 'text')} with NUL characters"
            finding = Finding("control_characters", "warning", what, "dropped", len(nul), draft.places(nul))
            found.append(Found(finding, tuple(nul)))
        if odd:
            seen = sorted({f"U+{ord(c):04X}" for row in odd[:100] for c in ODD.findall(texts[row])})
            what = f"{count(len(odd), 'text')} with control or replacement characters ({', '.join(seen[:6])})"
            do = "kept; they often come from a wrong decoding: look at these rows"
            found.append(
                Found(Finding("control_characters", "warning", what, do, len(odd), draft.places(odd)))
            )
        return found


CHECK = ControlCharacters
