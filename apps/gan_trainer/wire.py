"""A game as bytes: what the hub sends while it goes on.

In the records of `gallery.streams`, a look's body is `length (uint32) · JSON · samples · arrows · mesh · surface`: places as
int16 in steps of UNIT, arrows as int16 of the unit in the JSON, the surface as bytes from `low` to `high`.
"""

from __future__ import annotations

import math

import numpy as np

from engines.gan import PROBABILITIES, plane
from gallery import streams

UNIT = 1 / 4096                      # of a place: the plane is three units wide, and what leaves it may be eight away
MIDDLE = {"least-squares": 0.5, "hinge": 0.0}


def places(values: np.ndarray) -> np.ndarray:
    """Places of any shape -> int16 in steps of UNIT; what is further away than eight stands at the edge."""
    return np.clip(np.nan_to_num(values / UNIT), -32767, 32767).astype("<i2")


def scaled(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Any numbers -> int16, and the unit that one step stands for."""
    values = np.nan_to_num(values, posinf=0.0, neginf=0.0)
    unit = max(float(np.abs(values).max(initial=0.0)), 1e-9) / 32767
    return np.round(values / unit).astype("<i2"), unit


def shade(surface: np.ndarray, loss: str, middle: float = 0.0) -> tuple[np.ndarray, float, float]:
    """D's logits (SIDE, SIDE) -> bytes from low to high: probabilities from 0 to 1, scores as far from the middle either way.

    middle: where D does not know: between its means for real and generated points, where the loss names no such number.
    """
    if loss in PROBABILITIES:
        return np.round(255 * shown(surface, loss)).astype(np.uint8), 0.0, 1.0
    middle = MIDDLE.get(loss, middle)
    away = np.nan_to_num(surface, posinf=0.0, neginf=0.0) - middle
    reach = max(float(np.abs(away).max()), 1e-9)
    return np.round(127.5 * (1 + away / reach)).astype(np.uint8), middle - reach, middle + reach


def number(value: float | None) -> float | None:
    """A number as JSON may hold it: six digits, and null for one that is none."""
    return float(f"{value:.6g}") if value is not None and math.isfinite(value) else None


def look(frame: plane.Look, rules: plane.Rules) -> bytes:
    m, loss = frame.measures, rules.loss
    arrows, unit = scaled(frame.arrows)
    surface, low, high = shade(frame.surface, loss, float(np.nan_to_num((m.d_real + m.d_fake) / 2)))
    head = {"step": frame.step, "seconds": round(frame.seconds, 3), "loss_d": number(m.loss_d), "loss_g": number(m.loss_g),
            "d_real": number(m.d_real), "d_fake": number(m.d_fake), "norm_d": number(m.norm_d), "norm_g": number(m.norm_g),
            "found": m.found, "modes": [round(float(share), 4) for share in m.modes], "good": round(m.good, 4),
            "jsd": number(m.jsd), "w1": number(m.w1), "changed": list(frame.changed), "broken": frame.broken,
            "kept": frame.moment is not None, "unit": unit, "low": number(low), "high": number(high), "loss": loss, "z_kind": rules.z_kind,
            "samples": len(frame.samples), "arrows": len(frame.arrows), "mesh": list(frame.mesh.shape[:2]),
            "side": len(frame.surface)}
    return streams.headed(head, places(frame.samples).tobytes(), arrows.tobytes(), places(frame.mesh).tobytes(),
                          surface.tobytes())


def real(frame: plane.Real) -> bytes:
    """The data as one record: JSON, then its points and the middles of its modes."""
    head = {"points": len(frame.points), "centres": len(frame.centres), "width": frame.width,
            "centre": list(frame.centre), "scale": frame.scale}
    return streams.headed(head, places(frame.points).tobytes(), places(frame.centres).tobytes())


def anatomy(frame: plane.Anatomy, loss: str, film: str) -> bytes:
    """One round taken apart, as one record: JSON, then the places, the pull, and both surfaces."""
    pull, unit = scaled(frame.pull)
    both = np.concatenate([frame.before, frame.learned])           # shaded alike, so that they can be compared
    surfaces, low, high = shade(both, loss, float(np.nan_to_num(np.concatenate([frame.real_before, frame.fake_before]).mean())))
    verdicts = {name: [number(float(value)) for value in shown(getattr(frame, name), loss)]
                for name in ("real_before", "fake_before", "real_after", "fake_after")}
    z = frame.z[:, :2] if frame.z.shape[1] > 1 else np.pad(frame.z, ((0, 0), (0, 1)))
    head = {"film": film, "batch": len(frame.real), "loss": loss, "loss_d": number(frame.loss_d),
            "loss_g": number(frame.loss_g), "unit": unit, "low": number(low), "high": number(high),
            "side": len(frame.before), "z_dim": frame.z.shape[1], **verdicts}
    parts = [places(each).tobytes() for each in (z, frame.real, frame.fake, frame.moved)]
    return streams.headed(head, *parts, pull.tobytes(), surfaces.tobytes())


def shown(logits: np.ndarray, loss: str) -> np.ndarray:
    """D's verdict as the page says it: a probability for the losses that have one, else the score."""
    return 1 / (1 + np.exp(-np.clip(logits, -30, 30))) if loss in PROBABILITIES else logits
