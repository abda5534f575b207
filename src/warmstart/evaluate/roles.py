"""What a run stands for in the comparison: from scratch, pretrained and untouched, or fine-tuned."""

from warmstart.base.types import Run


def as_it_is(run: Run) -> bool:
    """Is it the pretrained model that learned nothing here? No phases in its plan, or nothing trained."""
    return not run.plan.phases or run.trained_parameters == 0


def from_scratch(run: Run) -> bool:
    """Did it learn from fresh weights?"""
    return not (run.plan.pretrained or as_it_is(run))


def fine_tuned(run: Run) -> bool:
    """Did it learn, starting from pretrained weights? Frozen features with a new head count."""
    return run.plan.pretrained and not as_it_is(run)


def cost(run: Run) -> tuple[int, int]:
    """What it takes to train and to trust a run: base < frozen < partial, adapters < full < scratch."""
    return 0 if as_it_is(run) else 2 if from_scratch(run) else 1, run.trained_parameters
