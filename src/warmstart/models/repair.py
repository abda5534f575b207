"""Settings that conversions from TensorFlow left the wrong way round; put right on loading, and said."""

from typing import Any

from torch import nn

from warmstart.base.types import Finding
from warmstart.models.anatomy import BATCH_NORMS


def repair(module: Any) -> list[Finding]:
    """Put right what is known to be wrong; returns what was done."""
    return [finding for finding in (turn_momentum(module), turn_dropout(module)) if finding is not None]


def turn_momentum(module: nn.Module) -> Finding | None:
    """TensorFlow's momentum m keeps a share m of the old statistics, torch's replaces a share m of them.

    Read the other way round, one batch wipes out the pretrained statistics.
    """
    norms = [m for m in module.modules() if isinstance(m, BATCH_NORMS) and (m.momentum or 0) > 0.5]
    if not norms:
        return None
    old = norms[0].momentum or 0.0
    for norm in norms:
        norm.momentum = 1 - (norm.momentum or 0.0)
    return Finding(
        "batch_norm_momentum",
        "note",
        f"{len(norms)} batch norms had momentum {old:g}, which is TensorFlow's way of counting",
        f"turned round to {1 - old:g}, so that training does not wipe out the pretrained statistics",
        len(norms),
    )


def turn_dropout(module: Any) -> Finding | None:
    """A dropout before the classifier above one half is TensorFlow's share to keep, not the share to drop."""
    rate = getattr(module.config, "classifier_dropout_prob", None)
    dropout = getattr(module, "dropout", None)
    if not isinstance(rate, float) or rate <= 0.5 or not isinstance(dropout, nn.Dropout):
        return None
    dropout.p = 1 - rate
    module.config.classifier_dropout_prob = 1 - rate
    return Finding(
        "classifier_dropout",
        "note",
        f"dropout before the classifier was {rate:g}, which is TensorFlow's share to keep",
        f"turned round to {1 - rate:g}",
        1,
    )
