"""What a demo promises, checked: every fault is one sentence, and all of them are listed at once."""

from __future__ import annotations

from pathlib import Path

from gallery.demo import Demo
from gallery.milestones import by_key

ROOT = Path(__file__).resolve().parents[1]


def cheap_faults(demo: Demo, folder: Path) -> list[str]:
    """What the hub looks at on every start: the manifest and the files, no import."""
    faults = []
    if not demo.title.strip() or len(demo.title) > 60:
        faults.append(f"its title has {len(demo.title)} characters; it takes 1 to 60")
    if not demo.sentence.strip() or len(demo.sentence) > 200:
        faults.append(f"its sentence has {len(demo.sentence)} characters; it takes 1 to 200")
    if demo.milestone and by_key(demo.milestone) is None:
        faults.append(f"its milestone {demo.milestone!r} is none of those in gallery/milestones.py")
    if demo.framework not in ("gradio", "streamlit"):
        faults.append(f"its framework is {demo.framework!r}; it may be 'gradio' or 'streamlit'")
    if not (folder / "app.py").is_file():
        faults.append("it has no app.py")
    return faults
