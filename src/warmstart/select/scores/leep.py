"""LEEP: how well do the candidate's own classes tell the user's? (Nguyen 2020, arXiv 2002.12462)"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from warmstart.base.errors import WarmstartError
from warmstart.select.scores._asks import ANSWERS
from warmstart.select.scores._scoring import Folds, Scoring, of_whole

SLACK = 1e-3  # by which probabilities of a row may miss 1: heads compute in single precision, or in half


@dataclass(frozen=True)
class Leep:
    """Mean log-likelihood of the label by way of the source class z: log of the sum of P(y | z) P(z | x).

    P(z | x) is what the candidate's trained head says, P(y | z) is counted on the same rows. A caution, never
    the default: it is in-sample, so that many source classes and few rows flatter it (a head that answers
    each row with a class of its own is called perfect), and it sees nothing that the head has thrown away.
    """

    reads: ClassVar[str] = ANSWERS
    caution: ClassVar[str] = (
        "in-sample: with many source classes and few rows a head is called good that tells nothing"
    )

    def score(self, answers_NS: NDArray[np.floating], labels_N: NDArray[np.int64], folds: Folds) -> Scoring:
        """Value in nats per row, at most 0; interval by a jackknife over the folds.

        Raises WarmstartError where a row of `answers_NS` is no distribution over the S source classes.
        """
        shares_NS = answers_NS.astype(np.float64)
        refuse(shares_NS)
        return of_whole(leep, shares_NS, labels_N, folds)


def leep(answers_NS: NDArray[np.float64], labels_N: NDArray[np.int64]) -> float:
    """The score of these rows. A source class that no row is given to says nothing and is left out."""
    member_NC = (labels_N[:, None] == np.unique(labels_N)).astype(np.float64)
    joint_CS = member_NC.T @ answers_NS / len(answers_NS)
    mass_S = joint_CS.sum(0)
    given_CS = joint_CS[:, mass_S > 0] / mass_S[mass_S > 0]
    likely_NC = answers_NS[:, mass_S > 0] @ given_CS.T
    return float(np.log(likely_NC[member_NC > 0]).mean())


def refuse(answers_NS: NDArray[np.float64]) -> None:
    fine_N = (answers_NS >= 0).all(1) & (np.abs(answers_NS.sum(1) - 1) <= SLACK)
    if not fine_N.all():
        row = int(np.flatnonzero(~fine_N)[0])
        raise WarmstartError(
            f"the answers to row {row} are no probabilities: {np.round(answers_NS[row, :5], 3).tolist()} "
            f"... with sum {answers_NS[row].sum():.4g}",
            "give the softmax of the candidate's head, a row for each row of the data",
            "no-probabilities",
        )


SCORE = Leep
