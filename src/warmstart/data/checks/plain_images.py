"""Pictures that cannot show what they are said to: of one colour, a few pixels high, or mere strips."""

from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import HEIGHT, THUMB, WIDTH, Draft, Found, count
from warmstart.data.images import BrokenImage, decode, source_of, without_warnings


@dataclass(frozen=True)
class PlainImages:
    """Reported and kept. What more than half of all pictures are is how these data are, and no trouble."""

    range: int = 8  # grey levels of each colour that a picture of one colour may have, after a JPEG's noise
    smallest: int = 8  # pixels of the shorter side
    longest: float = 5.0  # times the shorter side
    order: int = 35
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        if draft.kind != "image":
            return []
        sizes = list(zip(draft.column(WIDTH), draft.column(HEIGHT), strict=True))
        known = [(row, min(size), max(size)) for row, size in enumerate(sizes) if None not in size]
        small = [row for row, short, _ in known if short < self.smallest]
        strips = [row for row, short, long in known if long > self.longest * short]
        return [
            *self._found(draft, self._plain(draft), "of one colour", "replace the files or remove the rows"),
            *self._found(draft, small, f"less than {self.smallest} pixels wide or high", "use larger ones"),
            *self._found(
                draft,
                strips,
                f"more than {self.longest:g} times as long as they are short",
                "they are squeezed to a square before a network sees them: cut out what matters",
            ),
        ]

    def _found(self, draft: Draft, rows: list[int], how: str, do: str) -> list[Found]:
        if not rows or 2 * len(rows) > len(draft):
            return []
        what = f"{count(len(rows), 'image')} of {len(draft):,} {'is' if len(rows) == 1 else 'are'} {how}"
        places = draft.places(rows)
        return [Found(Finding("plain_images", "warning", what, f"kept; {do}", len(rows), places))]

    def _plain(self, draft: Draft) -> list[int]:
        """Rows of one colour; only those whose thumbnail is so are looked at as a whole."""
        import numpy as np

        thumbs, values = draft.column(THUMB), draft.values("image")
        likely = []
        for row, thumb in enumerate(thumbs):
            if thumb is not None:
                pixels = np.frombuffer(thumb, np.uint8).reshape(-1, 3)
                likely += [row] if np.ptp(pixels, axis=0).max() <= self.range else []
        with without_warnings():
            return [row for row in likely if self._is_plain(values[row])]

    def _is_plain(self, value: object) -> bool:
        try:
            image = decode(source_of(value))  # type: ignore[arg-type]
        except BrokenImage:  # it went away since
            return False
        extremes = [band.getextrema() for band in image.split()]
        return all(high - low <= self.range for low, high in extremes)  # type: ignore[operator]


CHECK = PlainImages
