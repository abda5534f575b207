"""One label for a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from warmstart.base.errors import WarmstartError
from warmstart.base.types import Finding
from warmstart.models.inputs import Inputs, Ragged, TextInputs
from warmstart.models.load import Pretrained
from warmstart.tasks._classification import Classification

LONGEST = 512  # tokens; what is said later rarely decides, and the cost of attention grows with the square
TABLES = ("position_embeddings", "embed_positions", "wpe")  # names of tables of positions


@dataclass(frozen=True)
class TextClassification(Classification):
    modality = "text"
    pipeline = "text-classification"
    roles = ("text", "label")
    baseline = "bag_of_words"

    def encode(
        self, pretrained: Pretrained, values: Sequence[object], folder: Path | None = None
    ) -> tuple[Inputs, list[Finding]]:
        """Tokenise once, cut at the longest text that the model can read."""
        tokenizer, limit = pretrained.processor, longest_text(pretrained)
        texts = [text_of(value) for value in values]
        rows = tokenizer(texts, truncation=False, padding=False, verbose=False)
        ids = rows["input_ids"]
        types = rows.get("token_type_ids") if "token_type_ids" in tokenizer.model_input_names else None
        long = [i for i, row in enumerate(ids) if len(row) > limit]
        if long:
            cut = tokenizer([texts[i] for i in long], truncation=True, max_length=limit, padding=False)
            for place, i in enumerate(long):
                ids[i] = cut["input_ids"][place]
                if types is not None:
                    types[i] = cut["token_type_ids"][place]
        fill_empty(ids, types, padding_of(pretrained))
        inputs = TextInputs(Ragged.of(ids), padding_of(pretrained), Ragged.of(types) if types else None)
        check_vocabulary(pretrained, inputs)
        return inputs, cut_texts(len(long), len(texts), limit)


def text_of(value: object) -> str:
    """A text that can be written in UTF-8: halves of surrogate pairs become question marks."""
    return "" if value is None else str(value).encode("utf-8", "replace").decode("utf-8")


def padding_of(pretrained: Pretrained) -> int:
    """What the model takes for padding, since its positions and pooling may read it; else the tokenizer's."""
    named = getattr(pretrained.module.config.get_text_config(), "pad_token_id", None)
    token = pretrained.processor.pad_token_id if named is None else named
    return int(token or 0)


def fill_empty(ids: list[list[int]], types: list[list[int]] | None, token: int) -> None:
    """A text without a token gets one, so that there is something to read."""
    for i, row in enumerate(ids):
        if not row:
            ids[i] = [token]
            if types is not None:
                types[i] = [0]


def check_vocabulary(pretrained: Pretrained, inputs: TextInputs) -> None:
    """Refuse tokens that the model's table of embeddings has no row for."""
    rows = int(pretrained.module.get_input_embeddings().num_embeddings)
    highest = int(inputs.ids.flat.max(initial=0))
    if highest >= rows:
        raise WarmstartError(
            f"{pretrained.source}: its tokenizer gives token {highest:,}, and the model knows {rows:,}",
            "model and tokenizer do not belong together; take the model anew",
            "unfit-processor",
        )


def longest_text(pretrained: Pretrained) -> int:
    """Most tokens of a text, special tokens included."""
    positions = table_of_positions(pretrained.module)
    limits = [LONGEST, pretrained.processor.model_max_length]
    config: Any = pretrained.module.config.get_text_config()
    limits += [getattr(config, name, None) or 0 for name in ("max_position_embeddings", "n_positions")]
    if positions is not None:
        begin = 0 if positions.padding_idx is None else positions.padding_idx + 1
        limits.append(positions.num_embeddings - begin)
    return int(min(limit for limit in limits if limit > 0))


def table_of_positions(module: nn.Module) -> nn.Embedding | None:
    """The embeddings of positions; RoBERTa's and its like begin behind the padding token's number."""
    for name, part in module.named_modules():
        if name.endswith(TABLES) and isinstance(part, nn.Embedding):
            return part
    return None


def cut_texts(cut: int, total: int, limit: int) -> list[Finding]:
    if not cut:
        return []
    share = 100 * cut / total
    return [
        Finding(
            "cut_texts",
            "warning" if share > 1 else "note",
            f"{cut:,} of {total:,} texts ({share:.1f} %) are longer than {limit} tokens",
            "their ends were cut off; if what decides stands there, split them or choose another model",
            cut,
        )
    ]


TASK = TextClassification
