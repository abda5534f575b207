"""What turns a text or a picture into what a model reads, and the proof that the two belong together."""

from __future__ import annotations

from typing import Any

import torch

from warmstart.base.errors import WarmstartError
from warmstart.models.anatomy import at_rest
from warmstart.models.config import quiet, short

PROCESSOR = {"text": "AutoTokenizer", "image": "AutoImageProcessor"}
NEEDED = {"text": ("tokenizer", "tokenizer.json"), "image": ("image processor", "preprocessor_config.json")}


def read_processor(where: str, source: str, modality: str) -> Any:
    """The tokenizer or image processor; WarmstartError if its files are missing or broken."""
    import transformers

    try:
        with quiet():
            found = getattr(transformers, PROCESSOR[modality]).from_pretrained(where, trust_remote_code=False)
    except Exception as error:  # whatever the library makes of missing and broken files
        raise missing(source, modality, short(error, 160)) from None
    if modality == "text" and set(found.get_vocab()) <= set(found.all_special_tokens):
        raise missing(source, modality, "there is no vocabulary")  # which the library passes over in silence
    return found


def missing(source: str, modality: str, reason: str) -> WarmstartError:
    what, file = NEEDED[modality]
    return WarmstartError(
        f"{source}: its {what} cannot be loaded ({reason})",
        f"add the {what}'s files to the folder, {file} first",
        "no-processor",
    )


def check_fit(module: Any, processor: Any, source: str, modality: str) -> None:
    """Walk one sample through both: does the model take what the processor gives?"""
    try:
        with at_rest(module), torch.inference_mode(), quiet():
            module(**sample(processor, modality))
    except Exception as error:  # sizes, channels, token numbers: any architecture may come here
        what, _ = NEEDED[modality]
        raise WarmstartError(
            f"{source}: the model cannot read what its {what} gives ({short(error)})",
            "model and processor do not belong together; take the model anew",
            "unfit-processor",
        ) from None


def sample(processor: Any, modality: str) -> Any:
    if modality == "text":
        given = processor("a", return_tensors="pt")
        return {k: given[k] for k in ("input_ids", "attention_mask", "token_type_ids") if k in given}
    from PIL import Image

    return {"pixel_values": processor(Image.new("RGB", (48, 32)), return_tensors="pt")["pixel_values"]}
