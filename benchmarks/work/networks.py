"""Networks of known shapes with random weights, with their tokenizers and image processors, as folders.

What is measured does not depend on the values of the weights. Norm statistics have seen pictures, so that
the features of a frozen body are of use.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as tf
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import nn

from benchmarks.work import chats, photos, texts
from warmstart.models.anatomy import anatomy_of

BERT_VOCABULARY, GPT_VOCABULARY = 30_522, 50_257
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
TEMPLATE = (
    "{% for m in messages %}<|{{ m['role'] }}|> {{ m['content'] }} <|end|> {% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def bert(layers: int, width: int, heads: int) -> tf.BertConfig:
    return tf.BertConfig(
        vocab_size=BERT_VOCABULARY,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        num_labels=len(texts.CLASSES),
    )


def gpt2(layers: int, width: int, heads: int) -> tf.GPT2Config:
    return tf.GPT2Config(
        vocab_size=GPT_VOCABULARY,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        n_positions=1024,
        bos_token_id=0,
        eos_token_id=0,
    )


TEXT = {
    "bert-2x64": lambda: bert(2, 64, 2),
    "bert-4x256": lambda: bert(4, 256, 4),
    "minilm-6x384": lambda: bert(6, 384, 12),
    "minilm-12x384": lambda: bert(12, 384, 12),
    "bert-12x768": lambda: bert(12, 768, 12),
}
IMAGE = {
    "mobilenet-v2": lambda: tf.MobileNetV2Config(
        num_labels=len(photos.CLASSES), classifier_dropout_prob=0.2, image_size=224
    ),
    "resnet-18": lambda: tf.ResNetConfig(
        embedding_size=64,
        hidden_sizes=[64, 128, 256, 512],
        depths=[2, 2, 2, 2],
        layer_type="basic",
        num_labels=len(photos.CLASSES),
    ),
}
CHAT = {
    "gpt2-6x384": lambda: gpt2(6, 384, 6),
    "gpt2-12x768": lambda: gpt2(12, 768, 12),
}


def write_network(folder: Path, name: str, seed: int = 0) -> None:
    """The network as a folder of transformers, and layers.json: which parameters each group of layers has."""
    torch.manual_seed(seed)
    kind = kind_of(name)
    if kind == "chat":
        model: Any = tf.AutoModelForCausalLM.from_config(CHAT[name]())
        chat_words().save_pretrained(folder)
    elif kind == "text":
        model = tf.AutoModelForSequenceClassification.from_config(TEXT[name]())
        words().save_pretrained(folder)
    else:
        model = tf.AutoModelForImageClassification.from_config(IMAGE[name]())
        processor = image_processor(name)
        processor.save_pretrained(folder)
        show(model, processor)
    name_classes(model, kind)
    model.save_pretrained(folder)
    if kind != "chat":
        (folder / "layers.json").write_text(json.dumps(layers(model), indent=1), encoding="utf-8")


def kind_of(name: str) -> str:
    return next(kind for kind, known in (("text", TEXT), ("image", IMAGE), ("chat", CHAT)) if name in known)


def name_classes(model: Any, kind: str) -> None:
    classes = {"text": texts.CLASSES, "image": photos.CLASSES}.get(kind, ())
    if classes:
        model.config.id2label = dict(enumerate(classes))
        model.config.label2id = {label: i for i, label in enumerate(classes)}


def layers(model: nn.Module) -> list[tuple[str, list[str]]]:
    """Groups from input to head, each with the names of its parameters."""
    names = {id(p): n for n, p in model.named_parameters()}
    return [(g.name, sorted({names[id(p)] for p in g.parameters()})) for g in anatomy_of(model).groups]


def words() -> tf.PreTrainedTokenizerFast:
    """Whole words, [CLS] before and [SEP] behind, in a table as large as BERT's."""
    known = [*SPECIAL, *map(texts.word, range(texts.WORDS))]
    inner = Tokenizer(models.WordLevel({w: i for i, w in enumerate(known)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    inner.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        model_max_length=128,
    )  # fmt: skip


def chat_words() -> tf.PreTrainedTokenizerFast:
    """Whole words and the marks of a chat, in a table as large as GPT-2's."""
    marks = ["<|end|>", "<|user|>", "<|assistant|>", "<|unk|>", "<|pad|>"]
    known = [*marks, *map(chats.word, range(chats.WORDS))]
    inner = Tokenizer(models.WordLevel({w: i for i, w in enumerate(known)}, unk_token="<|unk|>"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made = tf.PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="<|pad|>", unk_token="<|unk|>", eos_token="<|end|>",
        model_max_length=1024,
    )  # fmt: skip
    made.chat_template = TEMPLATE
    return made


def image_processor(name: str) -> Any:
    if name.startswith("mobilenet"):
        size, crop = {"shortest_edge": 256}, {"height": 224, "width": 224}
        return tf.MobileNetV2ImageProcessorPil(size=size, crop_size=crop)
    return tf.ConvNextImageProcessorPil(size={"shortest_edge": 224}, crop_pct=0.875)


@torch.no_grad()
def show(model: nn.Module, processor: Any, count: int = 48) -> None:
    """Let norm statistics see pictures of no class's split."""
    source = np.random.default_rng(99)
    seen = [Image.fromarray(photos.photo(source, i % len(photos.CLASSES))) for i in range(count)]
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    model.train()(pixel_values=processor(seen, return_tensors="pt")["pixel_values"])
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.eval()
