"""Changes of scale, fitted on the training part and undone in predictions."""

from unrolled.prepare.transforms.chain import TRANSFORMS, Chain, Step

__all__ = ["TRANSFORMS", "Chain", "Step"]
