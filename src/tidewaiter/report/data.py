"""A result for programs: JSON with the names of the values' own fields, which are English in every language."""

import json
from dataclasses import asdict

from tidewaiter.report.demonstration import Demonstration


def demonstration(shown: Demonstration) -> str:
    """Write it as one JSON object: all fields, and `held`, the judgement."""
    counts = {"split_alone": shown.split_alone, "split_guarded": shown.split_guarded}
    return json.dumps({"held": shown.held, **counts, **asdict(shown)}, indent=2, ensure_ascii=False)
