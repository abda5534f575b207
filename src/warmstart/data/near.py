"""Rows that are nearly the same: pairs for the checks, and clusters that must not straddle a split."""

from typing import TYPE_CHECKING, Any

from warmstart.base.seeds import generator
from warmstart.data.draft import DHASH, DIGEST, ID, THUMB, Draft

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_TEXTS = 100_000
MOST_IMAGES = 100_000


def near_pairs(draft: Draft) -> tuple["NDArray[np.int64]", str]:
    """P x 2 ids of nearly equal rows, and a note of how the search was bounded ("" if it was not).

    Rows of the same digest are always paired. Above 100,000 rows the search for others takes a sample, with
    all rows of the splits that the user brought; these come first, so that leaks are found before all else.
    """
    import numpy as np

    from warmstart.data.near_images import near_images
    from warmstart.data.near_texts import near_texts

    most = MOST_IMAGES if draft.kind == "image" else MOST_TEXTS
    rows = _in_rank(draft, most)
    if draft.kind == "image":
        hashes = draft.table.column(DHASH).to_numpy()[rows]
        thumbs = draft.column(THUMB)
        found, capped = near_images(hashes, [thumbs[row] for row in rows])
    else:
        texts = draft.values("text")
        found, capped = near_texts([texts[row] for row in rows])
    pairs = np.concatenate([rows[found].reshape(-1, 2), _same_digest(draft)])
    ids: NDArray[np.int64] = draft.table.column(ID).to_numpy()
    notes = [f"searched among {most:,} of {len(draft):,} rows"] if len(rows) < len(draft) else []
    notes += ["large heaps of alike rows were compared in part"] if capped else []
    return ids[pairs], "; ".join(notes)


def _in_rank(draft: Draft, most: int) -> "NDArray[np.int64]":
    """Row numbers, rows of brought test and validation first; at most `most`, the others by chance."""
    import numpy as np

    rank = np.array([{"test": 0, "validation": 1}.get(s or "", 2) for s in draft.splits])
    if len(draft) <= most:
        return np.argsort(rank, kind="stable")
    chance = generator(0, "near", len(draft)).permutation(len(draft))
    return np.lexsort((chance, rank))[:most]


def _same_digest(draft: Draft) -> "NDArray[np.int64]":
    """Each row paired with the first row of the same digest."""
    import numpy as np

    first: dict[Any, int] = {}
    pairs = [(first.setdefault(d, row), row) for row, d in enumerate(draft.column(DIGEST))]
    return np.array([p for p in pairs if p[0] != p[1]], np.int64).reshape(-1, 2)


def components(rows: int, pairs: "NDArray[np.int64]") -> "NDArray[np.int64]":
    """For each of `rows` rows the number of the cluster it is in: connected through the P x 2 `pairs`."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(pairs), np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(rows, rows))
    found: NDArray[np.int64] = connected_components(graph, directed=False)[1].astype(np.int64)
    return found


def distinct(pairs: "NDArray[np.int64]", items: int) -> "NDArray[np.int64]":
    """Each unordered pair of `items` items once, the smaller number first."""
    import numpy as np

    codes = np.unique(pairs.min(1, initial=items) * items + pairs.max(1, initial=0))
    return np.stack(np.divmod(codes, items), 1)


def equal_neighbours(
    keys: "NDArray[Any]", whole: int = 50, few: int = 5, heads: int = 5
) -> tuple["NDArray[np.int64]", bool]:
    """P x 2 numbers of items with equal keys (N keys), and whether a heap was too large for all its pairs.

    All pairs of a heap of up to `whole` items; in a larger one each item meets its `few` neighbours on each
    side and the `heads` first, so that the cost stays linear in N.
    """
    import numpy as np

    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    start = np.searchsorted(ordered, ordered)
    large = np.searchsorted(ordered, ordered, side="right") - start > whole
    found = [np.empty((0, 2), np.int64)]
    for step in range(1, min(max(whole, few), len(keys) - 1) + 1):
        same = ordered[:-step] == ordered[step:]
        if not same.any():
            break
        if step > few:
            same &= ~large[:-step]
        found.append(np.stack([order[:-step][same], order[step:][same]], 1))
    for head in range(heads):
        far = np.flatnonzero(large & (np.arange(len(keys)) - start > head + few))
        found.append(np.stack([order[start[far] + head], order[far]], 1))
    return np.concatenate(found), bool(large.any())
