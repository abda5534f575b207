"""Random transformers models of a few thousand weights, with their tokenizers and image processors."""

from pathlib import Path

import numpy as np
import torch
import transformers as tf
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn

from warmstart.models.config import quiet
from warmstart.models.load import Pretrained, load

CLASSES = 3
WORDS = [f"w{i}" for i in range(60)]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
VOCABULARY = 80
WIDE = dict(
    hidden_size=32, num_hidden_layers=3, num_attention_heads=4, intermediate_size=64,
    vocab_size=VOCABULARY, max_position_embeddings=40, num_labels=CLASSES,
)  # fmt: skip
PATCHES = dict(
    hidden_size=32, num_hidden_layers=3, num_attention_heads=4, image_size=64, patch_size=16,
    num_labels=CLASSES,
)  # fmt: skip
STAGES = dict(hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1], num_labels=CLASSES)

TEXT = {
    "bert": lambda: tf.BertConfig(**WIDE),
    "roberta": lambda: tf.RobertaConfig(**WIDE, pad_token_id=0),
    "xlm-roberta": lambda: tf.XLMRobertaConfig(**WIDE, pad_token_id=0),
    "electra": lambda: tf.ElectraConfig(**WIDE, embedding_size=16),
    "distilbert": lambda: tf.DistilBertConfig(
        dim=32, n_layers=3, n_heads=4, hidden_dim=64, vocab_size=VOCABULARY, max_position_embeddings=40,
        num_labels=CLASSES,
    ),
    "deberta-v2": lambda: tf.DebertaV2Config(
        **WIDE, relative_attention=True, pos_att_type=["p2c", "c2p"], position_buckets=16,
        norm_rel_ebd="layer_norm", share_att_key=True, conv_kernel_size=3, position_biased_input=False,
    ),
    "gpt2": lambda: tf.GPT2Config(
        n_embd=32, n_layer=3, n_head=4, vocab_size=VOCABULARY, n_positions=40, num_labels=CLASSES,
        pad_token_id=0, bos_token_id=2, eos_token_id=3,
    ),
    "llama": lambda: tf.LlamaConfig(
        **WIDE, num_key_value_heads=4, pad_token_id=0, bos_token_id=2, eos_token_id=3
    ),
    "qwen2": lambda: tf.Qwen2Config(
        **WIDE, num_key_value_heads=2, pad_token_id=0, bos_token_id=2, eos_token_id=3,
        use_sliding_window=True, sliding_window=5, max_window_layers=1,
    ),
    "qwen3": lambda: tf.Qwen3Config(
        **WIDE, num_key_value_heads=2, head_dim=16, pad_token_id=0, bos_token_id=2, eos_token_id=3
    ),
    "mistral": lambda: tf.MistralConfig(
        **WIDE, num_key_value_heads=1, sliding_window=4, pad_token_id=0, bos_token_id=2, eos_token_id=3
    ),
    "gemma": lambda: tf.GemmaConfig(
        **WIDE, num_key_value_heads=1, head_dim=8, pad_token_id=0, bos_token_id=2, eos_token_id=3
    ),
    "gpt_neox": lambda: tf.GPTNeoXConfig(
        **WIDE, pad_token_id=0, bos_token_id=2, eos_token_id=3,
        rope_parameters={"rope_type": "default", "rope_theta": 10000, "partial_rotary_factor": 0.5},
    ),
    "modernbert": lambda: tf.ModernBertConfig(
        **WIDE, pad_token_id=0, bos_token_id=2, eos_token_id=3, cls_token_id=2, sep_token_id=3,
        global_attn_every_n_layers=2, local_attention=6,
    ),
    "mpnet": lambda: tf.MPNetConfig(**WIDE),
    "albert": lambda: tf.AlbertConfig(**WIDE, embedding_size=16),
}  # fmt: skip
IMAGE = {
    "mobilenet_v1": lambda: tf.MobileNetV1Config(depth_multiplier=0.25, num_labels=CLASSES, image_size=64),
    "mobilenet_v2": lambda: tf.MobileNetV2Config(depth_multiplier=0.35, num_labels=CLASSES, image_size=64),
    "resnet-basic": lambda: tf.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 16, 24], depths=[1, 2, 1], layer_type="basic", num_labels=CLASSES
    ),
    "resnet-bottleneck": lambda: tf.ResNetConfig(
        embedding_size=8, hidden_sizes=[16, 32], depths=[1, 2], layer_type="bottleneck", num_labels=CLASSES
    ),
    "vit": lambda: tf.ViTConfig(**PATCHES, intermediate_size=64),
    "dinov2": lambda: tf.Dinov2Config(**PATCHES),
    "convnext": lambda: tf.ConvNextConfig(**STAGES),
    "swin": lambda: tf.SwinConfig(
        embed_dim=16, depths=[2, 2], num_heads=[2, 2], window_size=4, image_size=64, patch_size=4,
        num_labels=CLASSES,
    ),
    "regnet": lambda: tf.RegNetConfig(**STAGES, embedding_size=8, groups_width=8),
    "efficientnet": lambda: tf.EfficientNetConfig(
        hidden_dim=384, width_coefficient=0.3, depth_coefficient=0.3, image_size=64, num_labels=CLASSES
    ),
    "beit": lambda: tf.BeitConfig(**PATCHES, intermediate_size=64),
    "poolformer": lambda: tf.PoolFormerConfig(**STAGES),
    "swinv2": lambda: tf.Swinv2Config(
        embed_dim=16, depths=[2, 2], num_heads=[2, 2], window_size=4, image_size=64, patch_size=4,
        num_labels=CLASSES,
    ),
}  # fmt: skip
NAMES = (*TEXT, *IMAGE)
CAUSAL = ("gpt2", "llama", "qwen2", "qwen3", "mistral", "gemma", "gpt_neox")  # language models


def modality(name):
    return "text" if name in TEXT else "image"


def make(name, seed=0, **changes):
    """A model with stirred weights and norm statistics, in eval mode."""
    config = (TEXT | IMAGE)[name]()
    for key, value in changes.items():
        setattr(config, key, value)
    auto = (
        tf.AutoModelForSequenceClassification
        if modality(name) == "text"
        else tf.AutoModelForImageClassification
    )
    return born(auto, config, seed)


def make_words(name, seed=0, **changes):
    """The language model of that kind, which scores words."""
    config = TEXT[name]()
    for key, value in changes.items():
        setattr(config, key, value)
    return born(tf.AutoModelForCausalLM, config, seed)


def born(auto, config, seed):
    torch.manual_seed(seed)
    with quiet():
        model = auto.from_config(config)
    stir(model, seed)
    return model.eval()


@torch.no_grad()
def stir(model, seed=0):
    """Move all weights away from the even values that they are born with, and let norms see what comes in."""
    source = torch.Generator().manual_seed(seed)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    for parameter in model.parameters():
        parameter.add_((0.4 if norms else 0.1) * torch.randn(parameter.shape, generator=source))
    if norms:
        momenta = [norm.momentum for norm in norms]
        for norm in norms:
            norm.momentum = 1.0
        model.train()(pixel_values=torch.randn(16, 3, 64, 64, generator=source))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def batch(name, rows=4, seed=0):
    """Inputs of a few rows; texts are of different lengths."""
    source = torch.Generator().manual_seed(seed)
    if modality(name) == "image":
        return {"pixel_values": torch.randn(rows, 3, 64, 64, generator=source)}
    lengths = torch.randint(3, 11, (rows,), generator=source)
    lengths[0] = 10
    mask = (torch.arange(10)[None] < lengths[:, None]).long()
    ids = torch.randint(4, 60, (rows, 10), generator=source)
    return {"input_ids": ids * mask, "attention_mask": mask}


def tokenizer(limit=40):
    """Words w0 to w59 with [CLS] before and [SEP] behind."""
    vocabulary = {word: i for i, word in enumerate([*SPECIAL, *WORDS])}
    inner = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=limit,
    )  # fmt: skip


def processor(name):
    """The image processor that usually goes with an architecture."""
    small = {"height": 64, "width": 64}
    if name.startswith("mobilenet"):
        kind = "V1" if name == "mobilenet_v1" else "V2"
        maker = getattr(tf, f"MobileNet{kind}ImageProcessorPil")
        return maker(size={"shortest_edge": 72}, crop_size=small)
    if name.startswith(("convnext", "resnet")):
        return tf.ConvNextImageProcessorPil(size={"shortest_edge": 64}, crop_pct=0.875)
    return tf.ViTImageProcessorPil(size=small)


def save(folder: Path, name, seed=0, limit=40, **changes):
    """A folder as save_pretrained writes it."""
    with quiet():
        make(name, seed, **changes).save_pretrained(folder)
    (tokenizer(limit) if modality(name) == "text" else processor(name)).save_pretrained(folder)
    return folder


def pretrained(folder: Path, name, seed=0, limit=40, **changes) -> Pretrained:
    """A tiny model as the house loads it."""
    return load(str(save(folder, name, seed, limit, **changes)), modality(name))


def texts(count, seed=0, longest=12):
    """Texts of different lengths whose class, the second value, is told by which words they use."""
    source = np.random.default_rng(seed)
    classes = source.integers(CLASSES, size=count)
    rows = []
    for kind in classes:
        own = source.choice(WORDS[20 * kind : 20 * kind + 20], size=source.integers(1, longest))
        other = source.choice(WORDS, size=source.integers(0, 4))
        rows.append(" ".join(source.permutation([*own, *other])))
    return rows, classes


def pictures(count, seed=0, size=(80, 70)):
    """PNG-ready pictures with noise whose class, the second value, is told by which channel is bright."""
    source = np.random.default_rng(seed)
    classes = source.integers(CLASSES, size=count)
    made = []
    for kind in classes:
        pixels = source.integers(0, 180, (*size[::-1], 3), dtype=np.uint8)
        pixels[..., kind] += 60
        made.append(Image.fromarray(pixels))
    return made, classes


def write_pictures(folder: Path, count, seed=0, size=(80, 70)):
    """The same as files; returns their paths and classes."""
    folder.mkdir(parents=True, exist_ok=True)
    made, classes = pictures(count, seed, size)
    paths = [folder / f"{i}.png" for i in range(count)]
    for path, picture in zip(paths, made, strict=True):
        picture.save(path)
    return [str(path) for path in paths], classes


def weights_of(model: nn.Module):
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
