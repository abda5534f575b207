"""Is a run surer than it is right, and does one temperature put that right? Fitted on validation rows alone.

A temperature fits the rows that it was fitted to; so it is judged on validation rows out of fold, and used
only where it lowers the log-loss there beyond doubt. Test rows then say what came of it, and choose nothing.
"""

from warmstart.base.calibrated import Calibrated
from warmstart.base.seeds import generator
from warmstart.base.types import Measure, Predictions, Reason, Run
from warmstart.evaluate.compare import paired, samples
from warmstart.evaluate.metrics.log_loss import LogLoss
from warmstart.evaluate.reliability import alone, before_and_after
from warmstart.evaluate.temperature import at, cooled, fit
from warmstart.evaluate.words import Words

FEWEST = 30  # validation rows from which a temperature is fitted
FOLDS = 5
RULE = f"calibration: one temperature, if it surely lowers the log-loss of {FEWEST} validation rows or more"


def calibrated(run: Run, seed: int = 0) -> Calibrated:
    """The run's reliability on test rows before and, where a temperature could be fitted, after it."""
    validation, test = run.predictions["validation"], run.predictions["test"]
    n = len(validation.rows)
    if n < FEWEST:
        why = Reason(
            RULE, f"{n:,} validation rows", "none is fitted: so few rows cannot tell how sure is right"
        )
        return Calibrated(run.name, alone(test, seed), why, rows=n)
    temperature = fit(validation)
    fitted = out_of_fold(validation, seed)
    before, after, changes = before_and_after(test, cooled(test, temperature), seed)
    used = fitted.high < 0
    return Calibrated(
        run=run.name,
        before=before,
        why=Reason(RULE, seen(temperature, fitted), so(used, temperature)),
        temperature=temperature,
        used=used,
        rows=n,
        fitted=fitted,
        after=after,
        changes=changes,
    )


def out_of_fold(said: Predictions, seed: int) -> Measure:
    """Log-loss after minus before, each row at the temperature that the other folds ask for."""
    n, after_NC = len(said.rows), said.probabilities.copy()
    fold_N = generator(seed, "temperature").permutation(n) % FOLDS
    for number in range(FOLDS):
        mine = fold_N == number
        rest = Predictions(said.rows[~mine], said.truth[~mine], said.probabilities[~mine])
        after_NC[mine] = at(said.probabilities[mine], fit(rest))
    after = Predictions(said.rows, said.truth, after_NC)
    found = samples({"before": said, "after": after}, {"log_loss": LogLoss()}, seed, "validation")
    return paired(found["after", "log_loss"], found["before", "log_loss"])[0]


def seen(temperature: float, fitted: Measure) -> str:
    words = Words(LogLoss())
    change = f"{words.number(fitted.value, signed=True)} nats ({words.interval(fitted.low, fitted.high)})"
    return f"temperature {temperature:.2f}; log-loss of {fitted.n:,} validation rows out of fold {change}"


def so(used: bool, temperature: float) -> str:
    if not used:
        return "not used: it is not shown to help"
    leaning = "surer than it is right" if temperature > 1 else "less sure than it is right"
    return f"used by warmstart predict: the model is {leaning}"
