"""What of a config stands in identities: names in paths and jobs that stay the same when smearlab learns a new key.

The keys of 0.1.0 (FOUNDING) stand there at any value. A key that came later is left out at its neutral value, at which
everything is as it was before: `Field(default, json_schema_extra={"neutral": value})`, or its default where it declares
none. A neutral value never changes (tests/golden/neutral.json holds them), also where the default does. Options of
registered entries say the same by a constant LATER in their file.
"""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

FOUNDING = {
    "DatasetConfig": "kind validation test split_seed subset test_subset",
    "NoiseConfig": "kind rates",
    "ArchitectureConfig": "name",
    "OptimiserConfig": "name",
    "ScheduleConfig": "name milestones factor warmup",
    "AugmentationConfig": "crop flip",
    "RecipeConfig": "architecture epochs steps batch_size optimiser schedule augmentation precision device threads"
    " block_size checkpoint snapshots loss_scale clip_norm history_examples students_only estimate",
}


def lasting(given: BaseModel, without: Collection[str] = ()) -> dict[str, Any]:
    """Return the declared keys of a part of a config as plain values, without later ones that are neutral."""
    model = type(given)
    founding = FOUNDING[model.__name__].split()
    return {
        name: _plain(getattr(given, name))
        for name, field in model.model_fields.items()
        if name not in without and (name in founding or getattr(given, name) != neutral(field))
    }


def neutral(field: FieldInfo) -> Any:
    """Return the value of a later key at which everything is as before it."""
    extra = field.json_schema_extra
    return extra["neutral"] if isinstance(extra, dict) and "neutral" in extra else field.get_default()


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return lasting(value) if type(value).__name__ in FOUNDING else value.model_dump()
    return value
