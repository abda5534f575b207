"""What a run stands for in the comparison: from scratch, pretrained and untouched, or fine-tuned."""

from warmstart.base.types import Run


def from_scratch(run: Run) -> bool:
    """Did it start from fresh weights?"""
    return not run.plan.pretrained


def as_it_is(run: Run) -> bool:
    """Is it a pretrained model that learned nothing here? Its plan has no phases, or nothing was trained."""
    return run.plan.pretrained and (not run.plan.phases or run.trained_parameters == 0)


def fine_tuned(run: Run) -> bool:
    """Did it learn, starting from pretrained weights? Frozen features with a new head count."""
    return run.plan.pretrained and not as_it_is(run)


def cost(run: Run) -> tuple[int, int]:
    """What it takes to train and to trust a run: base < frozen < partial, adapters < full < scratch."""
    return 0 if as_it_is(run) else 2 if from_scratch(run) else 1, run.trained_parameters
