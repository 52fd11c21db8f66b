"""Write smearlab/core/release_0_1_0.json anew: the digests of the code that gives the numbers of 0.1.0.

    python tests/golden/prove_0_1_0.py

The proof of what is written here is tests/workflow/test_release_0_1_0.py: keep the file only if that passes. What 0.1.0
itself was made of stands in the file already and stays.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from smearlab.core import registry, releases
from smearlab.core.digest import root_digest, stage_module


def main() -> None:
    record = json.loads(releases.RECORD.read_text(encoding="utf-8"))
    kinds = ("datasets", "estimators", "methods", "metrics", "networks", "noises", "optimisers", "schedules")
    entries = [f"smearlab.{kind}.{name}" for kind in kinds for name in registry.names(kind)]
    known = [entry for entry in entries if releases.path_then(entry) in record["modules"]]
    roots = [*map(stage_module, record["scripts"]), *known]
    record["same"] = {root: root_digest(root) for root in sorted(roots)}
    releases.RECORD.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
