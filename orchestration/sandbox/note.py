"""What the demo's numbers are, in the sandbox's own words, for whoever publishes them.
How they were made up is in `demo.py` and `simulation.py`."""

import json

from orchestration.settings import Settings


def demo_note(settings: Settings) -> str | None:
    """The description of the world that `make demo` keeps in this home; None where there is none."""
    description = settings.home / "sandbox" / "sandbox.json"
    return json.loads(description.read_text(encoding="utf-8"))["description"] if description.is_file() else None
