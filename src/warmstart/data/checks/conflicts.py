"""The same input under two labels: at least one of them is wrong."""

from collections import defaultdict
from dataclasses import dataclass

from warmstart.base.types import Finding
from warmstart.data.draft import DIGEST, Draft, Found, count, quoted


@dataclass(frozen=True)
class Conflicts:
    """All are reported. They are dropped, but for validation and test rows that the user brought."""

    order: int = 80
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        labels = draft.values("label")
        groups: dict[bytes, list[int]] = defaultdict(list)
        for row, digest in enumerate(draft.column(DIGEST)):
            groups[digest].append(row)
        torn = [rows for rows in groups.values() if len({labels[row] for row in rows}) > 1]
        if not torn:
            return []
        rows = sorted(row for group in torn for row in group)
        pool = draft.pool
        drop = tuple(row for row in rows if pool[row])
        kept = len(rows) - len(drop)
        names = quoted(sorted({labels[row] for row in torn[0]}), 3)
        what = (
            f"{count(len(torn), draft.kind)} with several labels, {len(rows):,} rows; the first with {names}"
        )
        do = f"dropped {len(drop):,} rows; correct their labels to use them"
        do += f"; kept {kept:,} validation and test rows that you brought" if kept else ""
        return [
            Found(
                Finding(
                    "conflicts",
                    "warning",
                    what,
                    do,
                    len(rows),
                    draft.places(list(dict.fromkeys(torn[0] + rows))),
                ),
                drop,
            )
        ]


CHECK = Conflicts
