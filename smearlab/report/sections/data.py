"""The data sets of the grid and the noise that was realised on them."""

from typing import Any

from smearlab.figures import _format as text


def is_redrawn(context: dict[str, Any]) -> bool:
    """Whether every replicate drew its own train, validation and test parts."""
    return bool(context.get("config", {}).get("replicates", {}).get("splits") == "redrawn")


def data(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Return for each data set its sizes, classes, notes and noises as texts."""
    realised = context.get("noises", [])
    return [
        {
            "name": name,
            "facts": _sizes(facts) + ("; drawn anew for every replicate" if is_redrawn(context) else ""),
            "classes": [str(c) for c in facts.get("class_names") or []],
            "notes": [str(note) for note in facts.get("notes") or []],
            "noises": [_noise(n) for n in realised if n.get("dataset", name) == name],
        }
        for name, facts in context.get("datasets", {}).items()
    ]


def _sizes(facts: dict[str, Any]) -> str:
    shape = facts.get("shape") or []
    parts = [
        text.counted(facts[f"n_{part}"], f"{part} {'example' if len(shape) == 1 else 'image'}")
        for part in ("train", "validation", "test")
        if facts.get(f"n_{part}") is not None
    ]
    size = [text.counted(shape[0], "feature")] if len(shape) == 1 else ["×".join(map(str, shape))] if shape else []
    return ", ".join([*parts, *size])


def _noise(noise: dict[str, Any]) -> str:
    rate, realised = noise.get("rate"), noise.get("realised")
    asked = "no rate asked" if rate is None else f"{text.rate(rate)} asked"
    got = "" if realised is None else f", {text.percent(realised, 2)} realised"
    return f"{str(noise['noise']).replace('_', ' ')}: {asked}{got}"
