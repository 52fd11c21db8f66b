"""An entry is a file with one function, read from its source without importing it."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.grid.options import options_model

ENTRIES = [(kind, name) for kind in registry.ENTRY_FUNCTIONS for name in registry.names(kind)]
IDS = ["/".join(entry) for entry in ENTRIES]
SOURCE = '''"""A new loss: it is told apart by its factor.

More words.
"""

from __future__ import annotations

import nowhere_to_be_found
from typing import TYPE_CHECKING, Annotated, Literal

LABEL = "new loss"
PLAIN_AT = {"factor": 0}
HALF = 1 / 2 + len("computed")


def loss(
    logits,
    labels,
    index,
    *,
    factor: Annotated[float, Field(ge=0, lt=2)],
    steps: int | None = None,
    kind: Literal["a", "b"] = "a",
    sizes: list[int] = [1, 2],
    flag: bool = False,
):
    raise RuntimeError


def _helper():
    return 1
'''


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A registry in a folder of its own."""
    for kind in registry.ENTRY_FUNCTIONS:
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "__init__.py").touch()
    (tmp_path / "methods" / "_shared.py").write_text("VALUE = 1\n")
    (tmp_path / "methods" / "new.py").write_text(SOURCE)
    (tmp_path / "methods" / "notes.txt").write_text("no entry")
    monkeypatch.setattr(registry, "PACKAGE", tmp_path)
    forget()
    yield tmp_path
    monkeypatch.undo()
    forget()


def forget() -> None:
    for function in (registry.names, registry.describe, options_model):
        function.cache_clear()


def test_a_file_is_registered_by_being_there(package):
    assert registry.names("methods") == ("new",)
    assert registry.names("noises") == ()


def test_an_entry_is_described_without_being_imported(package):
    entry = registry.describe("methods", "new")
    assert entry.summary == "A new loss: it is told apart by its factor."
    assert entry.constants == {"LABEL": "new loss", "PLAIN_AT": {"factor": 0}}
    assert entry.module == "smearlab.methods.new" and entry.functions == ("loss",)
    defaults = {name: option.default for name, option in entry.options.items()}
    assert defaults == {"factor": registry.REQUIRED, "steps": None, "kind": "a", "sizes": [1, 2], "flag": False}
    assert "nowhere_to_be_found" not in sys.modules


def test_its_signature_checks_its_options(package):
    model = options_model("methods", "new")
    assert model(factor=1).model_dump() == {"factor": 1.0, "steps": None, "kind": "a", "sizes": [1, 2], "flag": False}
    for wrong in (
        {},
        {"factor": -1},
        {"factor": 2},
        {"factor": "1"},
        {"factor": True},
        {"factor": float("nan")},
        {"factor": 1, "steps": 1.5},
        {"factor": 1, "kind": "c"},
        {"factor": 1, "sizes": [1.5]},
        {"factor": 1, "sizes": 1},
        {"factor": 1, "flag": 1},
        {"factor": 1, "other": 1},
    ):
        with pytest.raises(ValueError):
            model(**wrong)


def test_an_unknown_name_is_refused_with_the_nearest(package):
    with pytest.raises(UserError, match="unknown method 'nwe'; did you mean 'new'"):
        registry.describe("methods", "nwe")
    for name in ("_shared", "__init__", "../methods/new", "", "notes"):
        with pytest.raises(UserError, match="unknown method"):
            registry.describe("methods", name)


def test_a_file_without_its_function_is_named(package):
    (package / "noises" / "odd.py").write_text("def flip():\n    pass\n")
    forget()
    with pytest.raises(UserError, match=r"odd\.py: an entry of noises defines observe or transition"):
        registry.describe("noises", "odd")


@pytest.mark.parametrize("annotation", ["", ": tuple[int, int]", ": Tensor", ": int | Nothing"])
def test_an_option_that_a_config_cannot_check_is_named(package, annotation):
    (package / "methods" / "odd.py").write_text(f"def loss(logits, labels, *, x{annotation} = 1):\n    return logits\n")
    forget()
    with pytest.raises(UserError, match="option 'x'"):
        options_model("methods", "odd")


LATER = """

LATER = {"sizes": [1, 2], "steps": None}
"""


def test_options_that_came_later_are_left_out_where_they_are_neutral_and_come_back(package):
    (package / "methods" / "new.py").write_text(SOURCE + LATER)
    forget()
    whole = {"factor": 0.5, "steps": None, "kind": "a", "sizes": [1, 2], "flag": False}
    kept = registry.without_neutral("methods", "new", whole)
    assert kept == {"factor": 0.5, "kind": "a", "flag": False}
    assert registry.filled("methods", "new", kept) == whole
    told = whole | {"steps": 0, "sizes": [1]}
    assert registry.without_neutral("methods", "new", told) == told
    assert registry.filled("methods", "new", told) == told


def test_what_is_built_gets_its_options_with_those_that_were_left_out(package, monkeypatch):
    (package / "networks" / "odd.py").write_text(
        "def build(classes, *, width=1, depth=2):\n    pass\nLATER = {'depth': 9}\n"
    )
    forget()
    seen = SimpleNamespace(build=lambda *arguments, **options: (arguments, options))
    monkeypatch.setattr(registry, "load", lambda kind, name: seen)
    assert registry.build("networks", {"name": "odd", "width": 4}, 10) == ((10,), {"width": 4, "depth": 9})
    assert registry.build("networks", {"name": "odd", "depth": 3}, 10) == ((10,), {"depth": 3})


def test_a_noise_may_draw_and_say_its_transition(package):
    transition = "def transition(n_classes, *, rate: float):\n    pass\n\n\n"
    observe = "def observe(context, rng, *, rate: float, x: int = 1):\n    pass\n"
    (package / "noises" / "both.py").write_text(transition + observe)
    forget()
    entry = registry.describe("noises", "both")
    assert entry.functions == ("observe", "transition") and set(entry.options) == {"rate", "x"}


@pytest.mark.parametrize("kind, name", ENTRIES, ids=IDS)
def test_every_entry_says_what_it_is_and_can_be_checked(kind, name):
    entry = registry.describe(kind, name)
    assert 10 < len(entry.summary) <= 120 and entry.summary[-1] in ".)?"
    options_model(kind, name)
    module = registry.load(kind, name)
    assert all(callable(getattr(module, function)) for function in entry.functions)
    assert all(getattr(module, key) == value for key, value in entry.constants.items())


def test_there_is_something_of_every_kind():
    assert all(registry.names(kind) for kind in registry.ENTRY_FUNCTIONS)


def test_describing_everything_imports_no_torch():
    program = (
        "import sys\nfrom smearlab.core import registry\nfrom smearlab.grid.options import options_model\n"
        "entries = [(kind, name) for kind in registry.ENTRY_FUNCTIONS for name in registry.names(kind)]\n"
        "assert all(options_model(*entry) for entry in entries)\n"
        "assert not {'torch', 'pandas', 'sklearn', 'scipy'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_expanding_a_grid_imports_no_torch():
    """Snakemake expands it in every process it starts."""
    program = (
        "import sys\nfrom smearlab.grid.load import read_config\nfrom smearlab.grid.cells import load_grid\n"
        "import smearlab.grid.jobs, smearlab.grid.resources\nload_grid(read_config('config.yaml'))\n"
        "assert not {'torch', 'torchvision', 'pandas', 'sklearn', 'scipy', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
