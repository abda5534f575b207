"""Average over tokens: a layer on top, of the plain architecture, that puts their mean first."""

from dataclasses import dataclass, replace

from warmstart.models.load import Pretrained


@dataclass(frozen=True)
class MeanPool:
    """Put a layer that averages over real tokens between the body and the head, which must then be new.

    The layer is an ordinary one with set weights (models/anatomies/_text.py), so that the saved model loads
    and runs without us, and learns like any other where a phase lets it.
    """

    def apply(self, pretrained: Pretrained, labels: tuple[str, ...], seed: int) -> tuple[Pretrained, str]:
        """Change the module in place. WarmstartError if the architecture has no place for such a layer."""
        before = pretrained.parameters
        pretrained.anatomy.part.add_mean_layer(pretrained.module)
        changed = replace(pretrained.with_module(pretrained.module), labels=())
        added = changed.parameters - before
        return changed, f"mean_pool: a layer that averages over tokens was added, {added:,} parameters"


EDIT = MeanPool
