"""From a folder, a hub id or the embedded zoo to a model that can learn, its processor and its anatomy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from warmstart.base.errors import WarmstartError
from warmstart.base.seeds import stream
from warmstart.base.types import Candidate, Finding
from warmstart.models import activation, allocator, card, dropout, layer_norm, limits, padding, repair
from warmstart.models.anatomy import Anatomy, anatomy_of
from warmstart.models.config import quiet, read_config, short
from warmstart.models.device import AUTO as ANYWHERE
from warmstart.models.device import choose
from warmstart.models.processor import check_fit, read_processor
from warmstart.models.weight_files import check_weights, numbers_in_files

AUTO = {
    "text": "AutoModelForSequenceClassification",
    "image": "AutoModelForImageClassification",
    "chat": "AutoModelForCausalLM",
}
WORDS = {"text": "text classification", "image": "image classification", "chat": "conversations"}
READS = {"chat": "text"}  # what a model reads, where that is called otherwise
COUNTER = "num_batches_tracked"  # left out by old files; counts from 0 again


@dataclass(frozen=True)
class Pretrained:
    """A model to start from: module, processor and the order of its layers."""

    source: str
    module: Any  # a transformers PreTrainedModel in float32
    processor: Any  # its tokenizer or image processor
    anatomy: Anatomy
    modality: str  # "text", "image" or "chat"
    labels: tuple[str, ...] = ()  # class names of the head that came trained; () if the head is fresh
    findings: tuple[Finding, ...] = ()

    @property
    def parameters(self) -> int:
        return sum(p.numel() for p in self.module.parameters())

    def with_module(self, module: nn.Module) -> Pretrained:
        """The same with a changed module; its anatomy is looked at anew."""
        return replace(self, module=module, anatomy=anatomy_of(module))


def load(
    source: str,
    modality: str,
    *,
    weights: bool = True,
    seed: int = 0,
    allow_pickle: bool = False,
    device: str = ANYWHERE,
) -> Pretrained:
    """Load the classification model of a folder, a hub id or "zoo:NAME" in float32.

    For chats it is the language model. weights=False keeps shape and processor but takes fresh weights from
    `seed`. Only safetensors are read unless `allow_pickle`, and then without running code; code that a model
    brings along is never run. `device` is "auto" (a graphics processor where there is one), "cpu", "cuda" or
    "cuda:1". Whatever is wrong with the model is a WarmstartError.
    """
    place = choose(device)
    where = card.locate(source)
    config = read_config(where, source)
    check_shape(where, source, config, modality)
    if weights and Path(where).is_dir():
        check_weights(Path(where), source, allow_pickle)
    reads = READS.get(modality, modality)
    processor = read_processor(where, source, reads)
    module, fresh = build(where, source, config, modality, weights, seed, allow_pickle)
    findings = repair.repair(module)
    dropout.quicken(module)
    activation.quicken(module)
    layer_norm.quicken(module)
    if not weights:
        repair.quicken_norms(module)
    if reads == "text":
        findings += filter(None, [repair.name_padding(module, processor)])
    else:
        module.to(memory_format=torch.channels_last)  # 1.3 to 1.8 times as fast on a CPU
        padding.quicken(module)
        allocator.keep_pages()
    check_fit(module, processor, source, reads)
    module.to(place)
    labels = () if fresh or not weights or modality == "chat" else labels_of(config)
    return Pretrained(source, module, processor, anatomy_of(module), modality, labels, tuple(findings))


def candidate(source: str) -> Candidate:
    """What is known of a model without running it: its size, and what its card says."""
    return card.candidate(source)


def check_shape(where: str, source: str, config: Any, modality: str) -> None:
    """Is there a class for this kind of model, and can its weights be in the files?"""
    import transformers

    folder = Path(where)
    try:
        with quiet():
            in_file = numbers_in_files(folder) if folder.is_dir() else 0
            limits.check_size(getattr(transformers, AUTO[modality]), config, source, in_file)
    except WarmstartError:
        raise
    except Exception as error:  # sizes that do not go together, classes that there are not
        raise unfit(source, config, modality, error) from None


def build(
    where: str, source: str, config: Any, modality: str, weights: bool, seed: int, allow_pickle: bool
) -> tuple[Any, bool]:
    """The module in float32, and whether its head is fresh."""
    import transformers
    from safetensors import SafetensorError

    auto = getattr(transformers, AUTO[modality])
    with seeded(seed, "weights"), quiet():
        try:
            if not weights:
                return auto.from_config(config, dtype=torch.float32, trust_remote_code=False), True
            module, info = auto.from_pretrained(
                where,
                config=config,
                dtype=torch.float32,
                use_safetensors=None if allow_pickle else True,
                weights_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
        except (SafetensorError, UnpicklingError, EOFError) as error:
            raise WarmstartError(
                f"{source}: its weights cannot be read ({short(error)})", "take the model anew", "bad-weights"
            ) from None
        except Exception as error:  # whatever the library makes of weights that do not fit
            raise unfit(source, config, modality, error) from None
    fresh = check_missing(source, module, set(info["missing_keys"]))
    if fresh and modality == "chat":
        raise WarmstartError(
            f"{source}: the output layer of the language model is not in the file",
            "take the whole language model, not its body or a classifier",
            "missing-weights",
        )
    return module, fresh


def unfit(source: str, config: Any, modality: str, error: Exception) -> WarmstartError:
    kind = getattr(config, "model_type", "?")
    return WarmstartError(
        f"{source}: a {kind} model cannot be loaded for {WORDS[modality]} ({short(error)})",
        "choose a model that transformers offers for this task",
        "unfit-model",
    )


def check_missing(source: str, module: Any, missing: set[str]) -> bool:
    """Is the head, with its pooler, fresh? A body with missing weights is refused, being half random."""
    body = f"{module.base_model_prefix}."
    named = [n for n in module.state_dict() if n.startswith(body)]
    lost = sorted(n for n in missing if n.startswith(body) and "pooler" not in n and not n.endswith(COUNTER))
    if lost:
        raise WarmstartError(
            f"{source}: {len(lost)} of {len(named)} tensors of the body are not in the file, first {lost[0]}",
            "the folder's config and weights do not belong together; take the model anew",
            "missing-weights",
        )
    return any(not n.endswith(COUNTER) for n in missing)


def labels_of(config: Any) -> tuple[str, ...]:
    """Class names in the order of their numbers."""
    return tuple(str(config.id2label.get(i, f"LABEL_{i}")) for i in range(config.num_labels))


@contextmanager
def seeded(seed: int, *names: str | int) -> Iterator[None]:
    """Initialisation reads torch's global generator; it is set for the while and given back as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(stream(seed, *names))
        yield
