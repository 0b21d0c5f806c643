"""Generative adversarial networks (Goodfellow et al. 2014, arXiv:1406.2661).

Two halves share the losses: `plane` plays the game in two dimensions, where all of it can be seen, `pictures` plays it
for digits, clothes and emoji. Cheap to import: the losses themselves are in `losses`.
"""

from __future__ import annotations

LOSSES = ("minimax", "non-saturating", "least-squares", "hinge", "wgan", "wgan-gp")
