"""The paper's claims that need no network, as they were computed."""

from typing import Any


def claims(context: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the computed claims of the paper with their numbers as text."""
    return [
        {
            "claim": claim["claim"],
            "source": claim.get("source", ""),
            "detail": claim.get("detail", ""),
            "measured": f"{claim['measured']:.3g}",
            "tolerance": f"{claim['tolerance']:.3g}",
            "holds": bool(claim["holds"]),
        }
        for claim in context.get("theory", [])
    ]
