"""Write smearlab/core/release_0_1_0.json and release_0_2_0.json anew: digests of the code that gives their numbers.

    python tests/golden/prove_0_1_0.py

The proof of what is written here is tests/workflow/test_release_0_1_0.py and test_release_0_2_0.py: keep the files only
if these pass. What the releases themselves were made of stands in the files already and stays.
"""

import json
import sys
from pathlib import Path
from typing import Any

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
    _write(releases.RECORD, record)
    record = json.loads(releases.RECORD_0_2_0.read_text(encoding="utf-8"))
    _write(releases.RECORD_0_2_0, record | {"same": {root: root_digest(root) for root in record["then"]}})


def _write(path: Path, record: dict[str, Any]) -> None:
    path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
