"""When to stop, by formula (Prechelt 1998, "Early stopping - but when?"): GL, PQ and UP.

E_va and E_tr are errors on validation and training rows, one an epoch, the last one now. A strip is k epochs.
"""

from __future__ import annotations

from collections.abc import Sequence

CRITERIA = ("none", "GL", "PQ", "UP")


def generalisation_loss(validation: Sequence[float]) -> float:
    """GL: by how many per cent the validation error is above the lowest so far. Errors are above 0."""
    return 100 * (validation[-1] / min(validation) - 1)


def progress(training: Sequence[float], strip: int) -> float:
    """P_k: by how many thousandths the training errors of the last strip are above the lowest of them."""
    last = training[-strip:]
    return 1000 * (sum(last) / (len(last) * min(last)) - 1)


def rises(validation: Sequence[float], strip: int) -> int:
    """Of how many strips in a row, up to now, the error at the end was above that at the end of the one
    before. Counted at ends of strips alone, the epochs from 1.
    """
    ends = validation[strip - 1 :: strip]
    count = 0
    while count + 1 < len(ends) and ends[-1 - count] > ends[-2 - count]:
        count += 1
    return count


def stops(
    criterion: str, alpha: float, strip: int, validation: Sequence[float], training: Sequence[float]
) -> bool:
    """Does the criterion stop after this epoch?

    GL as soon as it is above alpha. PQ at the end of a strip, where GL / P_k is above alpha; UP at the end of
    a strip, the alpha-th in a row that ended higher than the one before.
    """
    if criterion == "GL":
        return generalisation_loss(validation) > alpha
    if criterion == "none" or len(validation) % strip:
        return False
    if criterion == "UP":
        return rises(validation, strip) >= alpha
    loss, gained = generalisation_loss(validation), progress(training, strip)
    return loss > alpha * gained
