"""torchvision's data sets and transforms, also where its operators do not fit to the build of torch."""

from __future__ import annotations

import sys

import torch

try:
    from torchvision import datasets, transforms, utils
except RuntimeError:  # nothing here uses these operators
    _operators = torch.library.Library("torchvision", "FRAGMENT")
    for _name in ("nms", "qnms"):
        _operators.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    for _name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[_name]
    from torchvision import datasets, transforms, utils

__all__ = ["datasets", "transforms", "utils"]
