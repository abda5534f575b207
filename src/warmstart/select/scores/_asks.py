"""What a score asks for, said by class variables; without them it reads features and judges classes.

reads = "answers"    # N x S probabilities of the classes that the candidate's own head was trained for
judges = "numbers"   # real-valued targets; or "words": texts under a language model
relative = True      # only candidates of a pool can be scored: `parts` of each, then all `together`
caution = "..."      # when it goes wrong, in one sentence; said wherever it orders candidates
"""

from typing import Any

FEATURES, ANSWERS, WORDS = "features", "answers", "words"  # what a score may read
CLASSES, NUMBERS = "classes", "numbers"  # what it may judge, beside words


def reads(score: Any) -> str:
    return str(getattr(score, "reads", FEATURES))


def judges(score: Any) -> str:
    return str(getattr(score, "judges", CLASSES))


def is_relative(score: Any) -> bool:
    return bool(getattr(score, "relative", False))


def caution(score: Any) -> str:
    return str(getattr(score, "caution", ""))
