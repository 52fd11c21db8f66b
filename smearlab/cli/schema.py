"""The JSON schema of a config, by which editors complete and check one."""

import json
from pathlib import Path

from smearlab.core import registry
from smearlab.grid.schema import Config

SCHEMA = Path("docs/config.schema.json")


def schema_text() -> str:
    """Return the JSON schema of a config, with the registered names as the allowed kinds."""
    schema = Config.model_json_schema()
    definitions = schema["$defs"]
    for model, key, kind in (
        ("DatasetConfig", "kind", "datasets"),
        ("NoiseConfig", "kind", "noises"),
        ("ArchitectureConfig", "name", "networks"),
        ("OptimiserConfig", "name", "optimisers"),
        ("ScheduleConfig", "name", "schedules"),
        ("AugmentationConfig", "name", "augmentations"),
        ("MethodConfig", "name", "methods"),
    ):
        definitions[model]["properties"][key]["enum"] = list(registry.names(kind))
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
