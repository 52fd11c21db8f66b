"""Which packages are beside this Python, asked without importing any of them."""

import site
from importlib.util import find_spec
from pathlib import Path

from smearlab.core.errors import UserError

FOR_READING = ("numpy", "pydantic", "psutil", "yaml")  # what the rules import; all but numpy come with Snakemake


def check_packages() -> None:
    """Raise UserError where the rules could not even be read, in whatever environment the jobs then run."""
    missing = [name for name in FOR_READING if find_spec(name) is None]
    if missing:
        raise UserError(
            f"beside this Snakemake is no {', '.join(missing)}, which reading the rules needs: `make setup` installs "
            "all; with --use-conda, `pip install snakemake numpy` is enough"
        )


def snakemake_is_the_user_s() -> bool:
    """Return whether Snakemake itself lies in the user's own site (~/.local), which its child processes then need."""
    found = find_spec("snakemake")
    if found is None or found.origin is None or not site.ENABLE_USER_SITE:
        return False
    return Path(found.origin).is_relative_to(site.getusersitepackages())
