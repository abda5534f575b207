"""Settings that a model came with the wrong way round, or without; put right on loading, and said."""

from typing import Any

from torch import nn

from warmstart.base.types import Finding
from warmstart.models.anatomy import BATCH_NORMS

FRESH_MOMENTUM = 0.1  # of batch norms that begin anew; torch's own default
FROM_TENSORFLOW = ("mobilenet_v1", "mobilenet_v2")  # their configurations count the share of units to keep


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
        norm.momentum = turned(norm.momentum or 0.0)
    return Finding(
        "batch_norm_momentum",
        "note",
        f"{len(norms)} batch norms had momentum {old:g}, which is TensorFlow's way of counting",
        f"turned round to {turned(old):g}, so that training does not wipe out the pretrained statistics",
        len(norms),
    )


def quicken_norms(module: nn.Module) -> None:
    """Fresh weights come with fresh statistics, which must be learned within a few hundred steps.

    A momentum made for millions of steps would leave them where they began, and eval mode useless.
    """
    for norm in module.modules():
        if isinstance(norm, BATCH_NORMS) and norm.momentum is not None:
            norm.momentum = max(norm.momentum, FRESH_MOMENTUM)


def turn_dropout(module: Any) -> Finding | None:
    """A dropout before the classifier above one half is TensorFlow's share to keep, not the share to drop."""
    rate = getattr(module.config, "classifier_dropout_prob", None)
    dropout = getattr(module, "dropout", None)
    if module.config.model_type not in FROM_TENSORFLOW or not isinstance(dropout, nn.Dropout):
        return None
    if not isinstance(rate, float) or rate <= 0.5:
        return None
    dropout.p = module.config.classifier_dropout_prob = turned(rate)
    return Finding(
        "classifier_dropout",
        "note",
        f"dropout before the classifier was {rate:g}, which is TensorFlow's share to keep",
        f"turned round to {turned(rate):g}",
        1,
    )


def turned(share: float) -> float:
    """The other share, without the digits that only binary rounding adds."""
    return round(1 - share, 9)


def name_padding(module: Any, tokenizer: Any) -> Finding | None:
    """Language models come without a padding token; their classifiers need one to find where a text ends."""
    config = module.config.get_text_config()
    given = getattr(config, "pad_token_id", None)
    if given is not None and 0 <= given < config.vocab_size:
        return None
    number = tokenizer.pad_token_id
    if number is None:
        number = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else 0
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(number)
    config.pad_token_id = number
    return Finding(
        "padding_token",
        "note",
        "the model names no padding token, which texts of different length need",
        f"{tokenizer.pad_token!r} (number {number}) is used",
        1,
    )
