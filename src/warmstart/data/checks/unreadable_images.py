"""Images that cannot be used: missing, empty, damaged, of another format, too large."""

from collections import Counter
from dataclasses import dataclass

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Finding
from warmstart.data.draft import PROBLEM, Draft, Found, count


@dataclass(frozen=True)
class UnreadableImages:
    """Dropped, every reason named; every image was decoded once to know."""

    order: int = 30
    moment: str = "rows"

    def look(self, draft: Draft) -> list[Found]:
        if draft.kind != "image":
            return []
        problems = draft.column(PROBLEM)
        rows = [row for row, problem in enumerate(problems) if problem]
        if not rows:
            return []
        reasons = Counter(problems[row] for row in rows).most_common(3)
        shown = "; ".join(f"{reason} ({number:,})" for reason, number in reasons)
        if len(rows) == len(draft):
            raise WarmstartError(
                f"{draft.source}: none of {count(len(rows), 'image')} can be used, the first is "
                f"{draft.places(rows)[0]}: {shown}",
                "check the files and the paths in the table",
                "broken-images",
            )
        what = f"{count(len(rows), 'image')} of {len(draft):,} cannot be used: {shown}"
        finding = Finding(
            "unreadable_images", "warning", what, "dropped; replace the files", len(rows), draft.places(rows)
        )
        return [Found(finding, tuple(rows))]


CHECK = UnreadableImages
