"""The verdict as one plain sentence with its numbers. Of the user's words only names of runs appear in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from warmstart.base.types import Gain, Run
from warmstart.evaluate.compare import Sample
from warmstart.evaluate.roles import as_it_is, from_scratch, never_improved, without_network
from warmstart.evaluate.significance import ALPHA
from warmstart.evaluate.verdict import FLOOR, NOT_WORTH, WORTH, Claim, Trial, beats
from warmstart.evaluate.words import Words


@dataclass(frozen=True)
class Headline:
    """Everything that the sentence draws on."""

    trial: Trial
    planned: str
    recommended: str
    runs: Mapping[str, Run]  # of several seeds the best
    test: Mapping[str, Sample]  # the primary metric of every run on the test rows
    gains: Mapping[str, Gain]  # rival -> recommended minus rival

    def __str__(self) -> str:
        start = self.trial.verdict[0].upper() + self.trial.verdict[1:]
        if self.trial.claim is None:
            return f"{start}: no run was fine-tuned from pretrained weights; {self._lead()}."
        parts = [f"{self._lead()}, {self._against(self.trial.claim)}", *self._because(self.trial.claim)]
        parts += [*self._shortfalls(self.trial.claim), *self._unaided()]
        if not any(from_scratch(run) for run in self.runs.values()):
            parts.append("learning from scratch was not run")
        if self.planned not in (self.recommended, self.trial.subject, self.trial.claim.reference):
            parts.append(self._plan())
        return f"{start}: {'; '.join(parts)}."

    @property
    def _words(self) -> Words:
        return Words(self.test[self.recommended].metric)

    def _called(self, name: str) -> str:
        if name == FLOOR:
            answer = "most frequent class" if self._words.metric.unit == "points" else "shares of the classes"
            return f"always giving the {answer}"
        if without_network(self.runs[name]):
            return self.runs[name].baseline
        if from_scratch(self.runs[name]):
            return "learning from scratch"
        return "the pretrained model as it is" if as_it_is(self.runs[name]) else f"the {name} run"

    def _lead(self) -> str:
        sample = self.test[self.recommended]
        who, value = self._called(self.recommended), self._words.value(sample.value)
        rows = f"{sample.n:,} test row{'s' * (sample.n != 1)}"
        seeds = f"over {len(sample.each)} seeds " if sample.each else ""
        mean = " on average" if sample.each else ""
        if sample.is_share:
            return f"{seeds}{who} answers {value} of {rows} correctly{mean}"
        return f"{seeds}{who} has a {sample.metric.title} of {value} on {rows}{mean}"

    def _against(self, claim: Claim) -> str:
        who = "" if self.trial.subject == self.recommended else f"{self._called(self.trial.subject or '')} "
        than = "" if claim.reference == self.recommended else self._called(claim.reference)
        return who + self._words.against(claim.gain.value, claim.gain.low, claim.gain.high, than)

    def _shortfalls(self, claim: Claim) -> list[str]:
        """What the recommended run did not do, and is not said yet."""
        found, ours, guess = [], self.test[self.recommended], self.test[FLOOR]
        if never_improved(self.runs[self.recommended]):
            found.append("its tuning never improved on its frozen head")
        if not (claim.reference == FLOOR and self.trial.subject == self.recommended or beats(ours, guess)):
            value = self._words.value(guess.value)
            found.append(f"it is not shown to beat {self._called(FLOOR)} ({value})")
        return found

    def _unaided(self) -> list[str]:
        """What is answered without a network, and whether the recommended run is shown to beat it."""
        found, claim = [], self.trial.claim
        for name in filter(lambda name: without_network(self.runs[name]), self.runs):
            sample = self.test[name]
            value = self._words.value(sample.value)
            has = "answers" if sample.is_share else f"has a {sample.metric.title} of"
            said = claim is not None and claim.reference == name and self.trial.subject == self.recommended
            beaten = said or beats(self.test[self.recommended], sample)
            found.append(
                f"{self._called(name)} {has} {value}{'' if beaten else ', and is not shown to be beaten'}"
            )
        return found

    def _because(self, claim: Claim) -> list[str]:
        limit, words = self.trial.detectable, self._words
        if self.trial.verdict == NOT_WORTH:
            margin = words.difference(words.metric.margin)
            return [] if claim.gain.high < 0 else [f"a gain of {margin} or more is ruled out"]
        if self.trial.verdict == WORTH:
            near = f"near the limit of what these rows can show ({words.difference(limit)})"
            return [near] if claim.gain.value < limit else []
        idle = f"the {claim.reference} rival did not learn, so the difference to it proves nothing"
        return [*([idle] if claim.idle else []), *self._doubts(claim)]

    def _doubts(self, claim: Claim) -> list[str]:
        """Why nothing can be told, apart from a rival that did not learn."""
        limit, words = self.trial.detectable, self._words
        least, most = words.metric.bounds
        if claim.idle and claim.gain.low > 0:
            return []
        if not claim.beaten and limit >= most - least:
            return ["so few rows can show no difference"]
        if not claim.beaten and claim.gain.low > 0 and not claim.agreed:
            return ["the seeds do not agree on it"]
        if not claim.beaten:
            return [
                f"only true differences from {words.difference(limit)} up are likely to show on these rows"
            ]
        if self.trial.subject != self.recommended:
            return ["the validation rows, which choose, say otherwise"]
        return ["nothing was run that does without fine-tuning"]

    def _plan(self) -> str:
        """The planned run, seen from the recommended one."""
        gain, words = self.gains[self.planned], self._words
        sign = -1 if words.metric.better == "higher" else 1
        low, high = sorted((sign * gain.low, sign * gain.high))
        against = words.against(sign * gain.value, low, high)
        idle = never_improved(self.runs[self.planned])
        planned = f"the planned {self.planned} run"
        planned += ", whose tuning never improved on its frozen head," if idle else ""
        if low <= 0 <= high or (gain.p if gain.p_holm is None else gain.p_holm) >= ALPHA:
            return f"{planned} cannot be told from it: {against}"
        if high < 0:
            return f"{planned} {against}"
        return f"{planned} {against}, but not on the validation rows, which choose"
