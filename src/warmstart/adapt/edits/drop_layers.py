"""Drop the top layers: where features are best half-way up, what lies above only costs time and memory."""

from dataclasses import dataclass, replace

from warmstart.base.errors import WarmstartError
from warmstart.models.anatomy import Anatomy
from warmstart.models.load import Pretrained, seeded


@dataclass(frozen=True)
class DropLayers:
    """Keep the first `keep` layers of the body. The head no longer fits and must be new."""

    keep: int

    def apply(self, pretrained: Pretrained, labels: tuple[str, ...], seed: int) -> tuple[Pretrained, str]:
        """Change the module in place. WarmstartError if it has fewer layers, or if they cannot go."""
        module, total = pretrained.module, count_layers(pretrained.anatomy)
        if not 1 <= self.keep <= total:
            raise WarmstartError(
                f"edit 'drop_layers': keep = {self.keep}, and {pretrained.source} has {total} layers",
                f"write a number from 1 to {total}",
                "keep-out-of-range",
            )
        if self.keep == total:
            return pretrained, f"drop_layers: all {total} layers stay"
        before = pretrained.parameters
        with seeded(seed, "drop_layers"):  # an architecture may have to put a fresh head on the narrower top
            pretrained.anatomy.part.keep_layers(module, self.keep)
        changed = replace(pretrained.with_module(module), labels=())
        saved = f"{before:,} parameters became {changed.parameters:,}"
        return changed, f"drop_layers: the top {total - self.keep} of {total} layers are gone, {saved}"


def count_layers(anatomy: Anatomy) -> int:
    """Groups that are one of a row, such as layer.3 or stage.0.2."""
    return sum(name.rsplit(".", 1)[-1].isdecimal() for name in anatomy.names if "." in name)


EDIT = DropLayers
