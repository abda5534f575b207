"""One name for the data that were used: a change of any input, label, group, role or split changes it."""

import json
from collections.abc import Iterable
from hashlib import sha256

from warmstart.data.draft import DIGEST, Draft


def fingerprint(draft: Draft) -> str:
    """64 hex digits over the roles and over each row's split, label, group and content.

    The content of an image is its bytes; its path does not count, so that moved data keep their fingerprint.
    """
    whole = sha256(json.dumps(draft.roles, sort_keys=True).encode())
    contents: Iterable[bytes] = draft.column(DIGEST)
    if draft.kind == "text":
        contents = (text.encode() for text in draft.values("text"))
    groups = draft.values("group") if "group" in draft.roles else [None] * len(draft)
    for split, label, group, content in zip(
        draft.splits, draft.values("label"), groups, contents, strict=True
    ):
        for part in (str(split).encode(), label.encode(), (group or "").encode(), content):
            whole.update(len(part).to_bytes(8, "big"))
            whole.update(part)
    return whole.hexdigest()
