"""Tiny models with random weights, wrapped as load() wraps them, and what the tests of adapt ask of them."""

from typing import Any

import torch
import transformers as tf
from torch import Tensor, nn

from warmstart.models.anatomy import anatomy_of
from warmstart.models.load import Pretrained, seeded

CLASSES = ("bird", "cat", "dog")
LENGTHS = (9, 4, 2, 7)  # tokens of four rows
SIZES = {
    "vocab_size": 50,
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
}
DISTIL = {
    "vocab_size": 50,
    "dim": 32,
    "n_layers": 3,
    "n_heads": 4,
    "hidden_dim": 48,
    "max_position_embeddings": 40,
}
GPT = {"vocab_size": 50, "n_embd": 32, "n_layer": 3, "n_head": 4, "n_positions": 40}
RELATIVE = {
    "relative_attention": True,
    "position_buckets": 8,
    "pos_att_type": ["p2c", "c2p"],
    "share_att_key": True,
    "norm_rel_ebd": "layer_norm",
    "conv_kernel_size": 3,
    "conv_act": "gelu",
}
PATCHES = {"image_size": 32, "patch_size": 8}
CONFIGS: dict[str, tf.PretrainedConfig] = {
    "bert": tf.BertConfig(**SIZES),
    "roberta": tf.RobertaConfig(**SIZES, pad_token_id=1),
    "electra": tf.ElectraConfig(**SIZES, embedding_size=16),
    "distilbert": tf.DistilBertConfig(**DISTIL),
    "deberta-v2": tf.DebertaV2Config(**SIZES, **RELATIVE),
    "mpnet": tf.MPNetConfig(**SIZES, pad_token_id=1),
    "gpt2": tf.GPT2Config(**GPT, pad_token_id=0, bos_token_id=1, eos_token_id=2),
    "vit": tf.ViTConfig(**{k: v for k, v in SIZES.items() if k != "vocab_size"}, **PATCHES),
    "resnet": tf.ResNetConfig(embedding_size=8, hidden_sizes=[16, 32], depths=[2, 1], layer_type="basic"),
    "mobilenet_v2": tf.MobileNetV2Config(depth_multiplier=0.25, image_size=32),
    "convnext": tf.ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 2], num_stages=2, image_size=32),
    "poolformer": tf.PoolFormerConfig(hidden_sizes=[8, 16, 16, 16], depths=[1, 1, 2, 1]),
}
POOLING = ("bert", "roberta", "electra", "distilbert", "deberta-v2")
TEXT = (*POOLING, "mpnet", "gpt2")
IMAGE = ("vit", "resnet", "mobilenet_v2", "convnext", "poolformer")


def tiny(kind: str, labels: tuple[str, ...] = CLASSES, seed: int = 0) -> Pretrained:
    """A model of this kind whose head knows `labels`, in eval mode."""
    modality = "text" if kind in TEXT else "image"
    config = CONFIGS[kind].__class__.from_dict(CONFIGS[kind].to_dict())
    config.id2label = dict(enumerate(labels))
    auto = {"text": "AutoModelForSequenceClassification", "image": "AutoModelForImageClassification"}[
        modality
    ]
    with seeded(seed, kind):
        module = getattr(tf, auto).from_config(config).eval()
        for parameter in module.parameters():  # biases and norms are not left at 0 and 1
            nn.init.normal_(parameter, parameter.detach().mean().item(), 0.1)
    return Pretrained(f"tiny/{kind}", module, None, anatomy_of(module), modality, labels)


def inputs(model: Pretrained, pad: int = 0) -> dict[str, Tensor]:
    """Four rows: pictures, or texts of different lengths padded on the right, with `pad` columns more."""
    source = torch.Generator().manual_seed(1)
    if model.modality == "image":
        return {"pixel_values": torch.randn(4, 3, 32, 32, generator=source)}
    ids = torch.randint(5, 50, (4, max(LENGTHS)), generator=source)
    ids = torch.cat([ids, ids.new_zeros(4, pad)], 1)
    mask = (torch.arange(ids.shape[1]) < torch.tensor(LENGTHS)[:, None]).long()
    return {
        "input_ids": ids * mask + (1 - mask) * int(model.module.config.pad_token_id),
        "attention_mask": mask,
    }


@torch.no_grad()
def logits(model: Pretrained, pad: int = 0) -> Tensor:
    """What the module itself answers, in eval mode."""
    answer: Tensor = model.module.eval()(**inputs(model, pad)).logits
    return answer


@torch.no_grad()
def logits_by_anatomy(model: Pretrained) -> Tensor:
    model.module.eval()
    return model.anatomy.logits(inputs(model))


@torch.no_grad()
def reloaded(model: Pretrained, folder: Any) -> Pretrained:
    """The model after a trip to disk and back, through transformers alone."""
    model.module.save_pretrained(folder)
    auto = (
        tf.AutoModelForImageClassification
        if model.modality == "image"
        else tf.AutoModelForSequenceClassification
    )
    module, info = auto.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"]
    labels = tuple(module.config.id2label[i] for i in range(module.config.num_labels))
    return Pretrained(str(folder), module.eval(), None, anatomy_of(module), model.modality, labels)
