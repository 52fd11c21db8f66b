"""What was registered before the first training, and whether it was changed after the fact."""

from typing import Any

from smearlab.figures import _format as text
from smearlab.store.registered import Stamps


def registered(found: Stamps) -> list[str]:
    """Say what was registered, and when."""
    if not found:
        return []
    counts = _that_counts(found)
    before = counts["trained_before"]
    when = (
        f"after {before} of {text.counted(counts['of'], 'block')} had been trained"
        if before
        else "before the first training"
    )
    families = "; ".join(f"{name}: {', '.join(members)}" for name, members in counts["families"].items())
    return [
        f"Registered {when}: headline {_headline(counts)}; margin {_margin(counts)}; families {families or 'none'}; "
        f"config {counts['config_sha256'][:12]}."
    ]


def changed(found: Stamps) -> list[str]:
    """Say what is another thing now than what was registered before the first training."""
    if not found:
        return []
    before, now = _that_counts(found), found[-1]
    families = [
        f"the family {name} was {', '.join(members)} and is {', '.join(now['families'].get(name, [])) or 'gone'}"
        for name, members in before["families"].items()
        if members != now["families"].get(name)
    ]
    told = [
        f"the {term} was {said(before)} and is {said(now)}"
        for term, said in (("headline", _headline), ("margin", _margin))
        if said(before) != said(now)
    ]
    return [f"Changed after networks were trained: {'; '.join([*told, *families])}."] if told or families else []


def _that_counts(found: Stamps) -> dict[str, Any]:
    """The last registration before any training; where there is none, the first."""
    return next((stamp for stamp in reversed(found) if not stamp["trained_before"]), found[0])


def _headline(stamp: dict[str, Any]) -> str:
    named = stamp["headline"]
    alpha = "" if named["alpha"] is None else f" with α = {text.plain(named['alpha'], 3)}"
    transition = "" if named["transition"] is None else f" ({named['transition']} T)"
    return f"{named['method'].replace('_', ' ')}{alpha}{transition}"


def _margin(stamp: dict[str, Any]) -> str:
    return f"{text.plain(stamp['margin'])} points"
