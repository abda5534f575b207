"""One label for a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warmstart.base.types import Finding
from warmstart.models.inputs import Inputs, Ragged, TextInputs
from warmstart.models.load import Pretrained
from warmstart.tasks._classification import Classification

OFFSET_POSITIONS = ("roberta", "xlm-roberta", "camembert", "mpnet")  # positions begin behind the padding id
SHOWN = 5


@dataclass(frozen=True)
class TextClassification(Classification):
    modality = "text"
    pipeline = "text-classification"
    roles = ("text", "label")

    def encode(
        self, pretrained: Pretrained, values: Sequence[object], folder: Path | None = None
    ) -> tuple[Inputs, list[Finding]]:
        """Tokenise once, cut at the longest text that the model can read."""
        tokenizer, limit = pretrained.processor, longest_text(pretrained)
        texts = [str(v) for v in values]
        full = tokenizer(texts, truncation=False, padding=False, verbose=False)
        cut = [i for i, ids in enumerate(full["input_ids"]) if len(ids) > limit]
        if cut:
            full = tokenizer(texts, truncation=True, max_length=limit, padding=False)
        types = full.get("token_type_ids") if "token_type_ids" in tokenizer.model_input_names else None
        padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
        inputs = TextInputs(Ragged.of(full["input_ids"]), padding, Ragged.of(types) if types else None)
        return inputs, cut_texts(cut, len(texts), limit)


def longest_text(pretrained: Pretrained) -> int:
    """Most tokens of a text, special tokens included."""
    config: Any = pretrained.module.config
    positions = (
        getattr(config, "max_position_embeddings", None) or getattr(config, "n_positions", None) or 512
    )
    if config.model_type in OFFSET_POSITIONS:
        positions -= config.pad_token_id + 1
    return int(min(positions, pretrained.processor.model_max_length, 512))


def cut_texts(cut: list[int], total: int, limit: int) -> list[Finding]:
    if not cut:
        return []
    share = 100 * len(cut) / total
    return [
        Finding(
            "cut_texts",
            "warning" if share > 1 else "note",
            f"{len(cut):,} of {total:,} texts ({share:.1f} %) are longer than {limit} tokens",
            "their ends were cut off; if what decides stands there, split them or choose another model",
            len(cut),
        )
    ]


TASK = TextClassification
