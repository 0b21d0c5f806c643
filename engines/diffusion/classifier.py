"""A small convolutional classifier: it says what is on a picture, and its features measure how alike pictures are."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn


class Classifier(nn.Module):
    """Pictures (B, C, 32, 32), values from -1 to 1 -> logits (B, classes) and features (B, 4 width)."""

    def __init__(self, channels: int = 1, classes: int = 10, width: int = 32) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *_block(channels, width), *_block(width, width), nn.MaxPool2d(2),                   # 32 -> 16
            *_block(width, 2 * width), *_block(2 * width, 2 * width), nn.MaxPool2d(2),          # 16 -> 8
            *_block(2 * width, 4 * width), nn.AdaptiveAvgPool2d(2), nn.Flatten(),               # (B, 16 width)
            nn.Dropout(0.3), nn.Linear(16 * width, 4 * width), nn.ReLU())
        self.last = nn.Linear(4 * width, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.layers(x)                                                               # (B, 4 width)
        return self.last(features), features


def _block(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]


def load(folder: Path) -> Classifier:
    """A bundled classifier in fp32, in eval mode."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    classifier = Classifier(config["channels"], len(config["classes"]), config["width"])
    weights = load_file(folder / "model.safetensors")
    classifier.load_state_dict({name: value.float() if value.is_floating_point() else value
                                for name, value in weights.items()})
    return classifier.eval()
