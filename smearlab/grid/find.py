"""The grids a checkout knows: those of config.yaml and of the configs in configs/."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.grid.cells import Grid, load_grid
from smearlab.grid.load import read_config

DEFAULT = Path("config.yaml")
SUFFIXES = (".yaml", ".yml", ".json")


def config_paths(further: Sequence[str | Path] = ()) -> list[Path]:
    """Return config.yaml, all configs in configs/ and those given, each once."""
    found = [DEFAULT] if DEFAULT.exists() else []
    folder = Path("configs")
    if folder.is_dir():
        found += sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES)
    return list(dict.fromkeys([*found, *map(Path, further)]))


def find_grid(name: str) -> Grid:
    """Return the grid of a config file, or of the config in config.yaml and configs/ that has this name."""
    return load_grid(read_config(find_config(name)))


def find_config(name: str) -> Path:
    """Return the path of a config: the one given, or that in config.yaml and configs/ whose grid has this name.

    UserError if none has it, or more than one.
    """
    if Path(name).suffix in SUFFIXES:
        return Path(name)
    known: dict[str, list[Path]] = {}
    for path in config_paths():
        known.setdefault(str(read_config(path).get("name")), []).append(path)
    if name not in known:
        raise UserError(f"no config has the name {name!r}{registry.suggestion(name, sorted(known))}")
    if len(found := known[name]) > 1:
        raise UserError(f"{', '.join(map(str, found))} have the name {name!r}: give the file that is meant")
    return found[0]


def default_grid() -> Grid:
    """Return the grid of config.yaml."""
    return load_grid(read_config(DEFAULT))


def all_grids(further: Sequence[str | Path] = ()) -> Iterator[tuple[Path, Grid | UserError]]:
    """Yield each config with its grid, or with what keeps it from being one."""
    for path in config_paths(further):
        try:
            yield path, load_grid(read_config(path))
        except UserError as error:
            yield path, error
