"""The curves that computed claims leave for figures."""

import pandas as pd

from smearlab.store.tables import Tables


def curve(tables: Tables, claim: str, name: str) -> pd.DataFrame:
    """Return the rows of one curve of one claim; empty where it was not computed."""
    for found in tables.context.get("theory", []):
        if found.get("name") == claim:
            return pd.DataFrame((found.get("curves") or {}).get(name, []))
    return pd.DataFrame()
