"""Build the embedded zoo: draw pictures, pretrain a tiny network on each source, write its folder and card.

python scripts/build_zoo.py                 # all sources, into src/warmstart/models/zoo
python scripts/build_zoo.py letters         # only one
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save
from torch import Tensor
from transformers import AutoImageProcessor, AutoModelForImageClassification, ResNetConfig
from transformers.utils import logging
from zoo_card import SOURCES, Facts, card
from zoo_pictures import write_pictures

from warmstart.base.files import write_json, write_text
from warmstart.base.seeds import stream
from warmstart.base.types import Phase, Plan
from warmstart.street import stops, training
from warmstart.street.folder import Options, begin

ZOO = Path(__file__).parents[1] / "src" / "warmstart" / "models" / "zoo"
SEED = 0
PROCESSOR = {
    "image_processor_type": "ViTImageProcessor",
    "do_convert_rgb": True,
    "do_resize": True,
    "size": {"height": 32, "width": 32},
    "resample": 2,  # bilinear
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


@dataclass(frozen=True)
class Recipe:
    """How a network is pretrained."""

    per_class: int = 300  # training pictures
    epochs: int = 8
    batch: int = 64
    lr: float = 2e-3
    weight_decay: float = 0.01  # never on one-dimensional tensors
    warmup: float = 0.1  # share of all steps; then cosine to 0


RECIPES = {"letters": Recipe(), "textures": Recipe(per_class=600), "shuffled": Recipe()}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("sources", nargs="*", help=f"of {', '.join(SOURCES)}; default all")
    parser.add_argument("--zoo", type=Path, default=ZOO, help="the folder to write to")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    if unknown := set(given.sources) - set(SOURCES):
        parser.error(f"no source named {', '.join(sorted(unknown))}; there are {', '.join(SOURCES)}")
    torch.set_num_threads(given.threads)
    logging.disable_progress_bar()
    for source in given.sources or SOURCES:
        accuracy = build(source, given.zoo / source, given.seed, RECIPES[source])
        print(f"{source}: held-out accuracy {accuracy:.3f}")


def build(source: str, out: Path, seed: int, recipe: Recipe) -> float:
    """Draw, pretrain and write one zoo folder; its accuracy on pictures that it never saw."""
    with TemporaryDirectory() as temporary:
        pictures = write_pictures(source, Path(temporary), recipe.per_class, seed)
        names = sorted(p.name for p in (pictures / "train").iterdir())
        write_json(out / "preprocessor_config.json", PROCESSOR)
        pretrain(pictures, network(names), out, recipe, stream(seed, "zoo", "pretrain", source))
        halve(out / "model.safetensors")
        accuracy = held_out(out, pictures / "test")
        train, test = (sum(1 for _ in pictures.glob(f"{split}/*/*.png")) for split in ("train", "test"))
    facts = Facts(source, names, train, test, accuracy, parameters(out), seed, recipe)
    write_text(out / "README.md", card(facts))
    return accuracy


def network(names: list[str]) -> ResNetConfig:
    """A ResNet of three basic blocks for pictures of 32 x 32."""
    return ResNetConfig(
        num_channels=3,
        embedding_size=16,
        hidden_sizes=[32, 64, 128],
        depths=[1, 1, 1],
        layer_type="basic",
        downsample_in_first_stage=False,
        id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
    )


def pretrain(pictures: Path, config: ResNetConfig, out: Path, recipe: Recipe, seed: int) -> None:
    """Train a fresh network on pictures/train by the strategy `scratch`, and leave its files in `out`."""
    with TemporaryDirectory() as temporary:
        start = Path(temporary) / "start"
        AutoModelForImageClassification.from_config(config).save_pretrained(start)
        shutil.copy(out / "preprocessor_config.json", start)
        trip = begin(Options(str(pictures), models=(str(start),), seed=seed), Path(temporary) / "runs")
        bundle = stops.read(trip)
        plan = scratch(str(start), bundle.task, recipe, seed)
        ready = training.prepare(trip, bundle, training.load_for(trip, plan, "image"))
        training.carry_out(trip, "scratch", plan, bundle, ready)
        for name in ("config.json", "model.safetensors"):
            shutil.copy(trip.path("training", "scratch", "model", name), out)


def scratch(model: str, task: str, recipe: Recipe, seed: int) -> Plan:
    """The plan of `scratch` with the recipe's numbers."""
    every = Phase(
        ("*",),
        lr=recipe.lr,
        epochs=recipe.epochs,
        warmup=recipe.warmup,
        schedule="cosine",
        weight_decay=recipe.weight_decay,
    )
    return Plan(
        strategy="scratch",
        model=model,
        task=task,
        phases=(every,),
        edits=({"name": "new_head"},),
        guards=({"name": "early_stop"},),
        pretrained=False,
        batch=recipe.batch,
        norm_statistics="learn",
        seed=seed,
    )


def read_folder(folder: Path, processor: Path, numbers: dict[str, int]) -> tuple[Tensor, Tensor]:
    """Class folders of pictures -> images N x 3 x 32 x 32 as the processor makes them, labels N."""
    paths = sorted(folder.glob("*/*.png"))
    prepare = AutoImageProcessor.from_pretrained(processor)
    images = [np.asarray(prepare(Image.open(p))["pixel_values"][0], np.float32) for p in paths]
    labels = [numbers[p.parent.name] for p in paths]
    return torch.from_numpy(np.stack(images)), torch.tensor(labels)


def halve(path: Path) -> None:
    """Store the weights in half precision; config.json keeps saying float32, so they load as float32."""
    tensors = {name: t.half() if t.is_floating_point() else t for name, t in load_file(path).items()}
    path.write_bytes(save(tensors, metadata={"format": "pt"}))
    path.chmod(0o644)  # save_pretrained leaves it readable to its owner alone; it ships in a package


@torch.inference_mode()
def held_out(out: Path, folder: Path) -> float:
    """Accuracy of the saved folder, loaded again, on pictures that it never saw."""
    model = AutoModelForImageClassification.from_pretrained(out).eval()
    images, labels = read_folder(folder, out, model.config.label2id)
    answers = torch.cat([model(pixel_values=part).logits.argmax(1) for part in images.split(256)])
    return float((answers == labels).float().mean())


def parameters(out: Path) -> int:
    return sum(p.numel() for p in AutoModelForImageClassification.from_pretrained(out).parameters())


if __name__ == "__main__":
    main()
