"""Answers to many questions: one that cannot be read costs its own line and no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warmstart.base.errors import WarmstartError
from warmstart.serve.predict import Answer, Predictor
from warmstart.serve.questions import Question


@dataclass(frozen=True)
class Said:
    """What was asked and answered; `wrong` is why there is no answer."""

    name: str
    answer: Answer
    truth: str = ""
    wrong: str = ""


def answers(predictor: Predictor, asked: Sequence[Question]) -> list[Said]:
    """All in their order. Raises WarmstartError where not a single one can be answered."""
    try:
        said = predictor.predict_all([question.value for question in asked])
        return [Said(q.name, answer, q.truth) for q, answer in zip(asked, said, strict=True)]
    except WarmstartError:
        if len(asked) == 1:
            raise
    found = [one(predictor, question) for question in asked]
    if not any(said.answer for said in found):
        raise WarmstartError(f"{found[0].wrong}; nor can any of the others be read", "check them", "no-input")
    return found


def one(predictor: Predictor, question: Question) -> Said:
    try:
        return Said(question.name, predictor.predict(question.value), question.truth)
    except WarmstartError as error:
        return Said(question.name, [], question.truth, error.wrong)
