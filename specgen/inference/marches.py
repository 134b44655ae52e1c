"""What a spec takes from the file of its chip."""

from __future__ import annotations

import json
from functools import cache

from specgen.locate import march_file, march_names


@cache
def multiplier_bits(march: str) -> int | None:
    """Significant bits of the chip's multipliers, None for a chip that is not known.

    The file is data of the package, which its own tests hold against its schema.
    """
    if march not in march_names():
        return None
    document = json.loads(march_file(march).read_text(encoding="utf-8"))
    return int(document["arithmetic"]["multiplier_bits"]["value"])
