"""Fold adapters into the weights that they stand beside, so that the model is a plain one again."""

from warmstart.models.anatomy import may_learn
from warmstart.models.load import Pretrained


def merge_adapters(pretrained: Pretrained) -> Pretrained:
    """The model without adapters but with their effect; one that has none comes back as it is.

    The module is changed in place: W becomes W + B A * alpha / rank. Raises ValueError if a merged weight is
    not finite.
    """
    module = pretrained.module
    if not hasattr(module, "peft_config"):
        return pretrained
    from peft.tuners.tuners_utils import BaseTunerLayer

    adapted = [(name, layer) for name, layer in module.named_modules() if isinstance(layer, BaseTunerLayer)]
    for name, layer in adapted:
        layer.merge(safe_merge=True)
        module.set_submodule(name, layer.get_base_layer())
    del module.peft_config  # left there by peft
    for parameter in module.parameters():
        if not may_learn(parameter):
            del parameter.warmstart_frozen
        parameter.requires_grad_(True)
    return pretrained.with_module(module)
