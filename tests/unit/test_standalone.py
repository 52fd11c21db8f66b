"""What is taken along stands alone: architecture and loss as plain torch code, equal to what the grid trained with."""

from pathlib import Path

import pytest
import torch

from smearlab.core import registry
from smearlab.core.errors import UserError
from smearlab.core.jobs import MethodSettings
from smearlab.export.bundle import architecture_code
from smearlab.export.formula import Teaching, formula
from smearlab.export.standalone import Definition, standalone
from smearlab.grid.definitions import form
from smearlab.training.objective import Objective
from smearlab.training.student import distance_to_teacher

N, L = 12, 3
T = [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.0, 0.3, 0.7]]
VALUES = {"label_smoothing": 0.4, "forward_smoothing": 0.2, "online_label_smoothing": 0.5, "smoothing_matrix": 0.3}
OPTIONS = {"weight_decay": {"decay": 0.01}, "smoothing_matrix": {"matrix": str(T)}}


def run(code: str) -> dict:
    """The names that a piece of code defines, in which nothing of this package may be named."""
    assert "smearlab" not in code
    names: dict = {}
    exec(compile(code, "exported", "exec"), names)
    return names


def batch(seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    logits = 3 * torch.randn(N, L, generator=draw)
    return logits, torch.randint(L, (N,), generator=draw), torch.randperm(N, generator=draw)


def settings(name: str) -> MethodSettings:
    options = OPTIONS.get(name, {})
    corrects = "transition" in registry.describe("methods", name).options
    return MethodSettings(name, VALUES.get(name), "true" if corrects else None, options)


@pytest.mark.parametrize("name", registry.names("methods"))
def test_a_methods_formula_gives_the_loss_that_the_grid_trains_with(name: str) -> None:
    method = settings(name)
    ours = Objective(method, T, N, L, torch.device("cpu"))
    names = run(formula(method, T))
    criterion = names["Criterion"](N, L) if "Criterion" in names else names["criterion"]
    for epoch in (0, 0, 1):  # what a loss remembers of a batch counts in the next
        logits, labels, index = batch(epoch)
        ours.epoch.fill_(epoch)
        known = {"index": index, "epoch": epoch}
        context = [known[key] for key in ("index", "epoch") if key in ours.context]
        expected = ours(logits, labels, index, warming=False).mean()
        torch.testing.assert_close(criterion(logits, labels, *context), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("alpha", [0.1, 0.4, 0.0])
def test_smoothing_is_torchs_own_loss(alpha: float) -> None:
    code = formula(MethodSettings("label_smoothing", alpha))
    assert f"criterion = torch.nn.CrossEntropyLoss(label_smoothing={alpha})" in code.splitlines()


def test_negative_smoothing_which_torch_refuses_is_written_out() -> None:
    logits, labels, index = batch(1)
    method = MethodSettings("label_smoothing", -0.5)
    ours = Objective(method, None, N, L, torch.device("cpu"))(logits, labels, index, warming=False).mean()
    torch.testing.assert_close(run(formula(method))["criterion"](logits, labels), ours)


@pytest.mark.parametrize("beta", [0.25, 1.0])
def test_a_students_formula_mixes_labels_and_teacher(beta: float) -> None:
    (logits, labels, _), (teacher, _, _) = batch(2), batch(3)
    criterion = run(formula(MethodSettings("label_smoothing", 0.2), teaching=Teaching(beta, 4.0, 1.0)))["criterion"]
    label_loss = torch.nn.functional.cross_entropy(logits, labels, label_smoothing=0.2)
    expected = beta * distance_to_teacher(logits, teacher, 4.0, 1.0).mean() + (1 - beta) * label_loss
    torch.testing.assert_close(criterion(logits, labels, teacher), expected)


def test_a_correction_without_its_matrix_is_refused() -> None:
    with pytest.raises(UserError, match="method forward: its formula needs the transition matrix"):
        formula(MethodSettings("forward", transition="true"))


def test_a_warm_up_and_a_changed_recipe_are_said() -> None:
    assert "first 20% of the training" in formula(MethodSettings("gce", options={"q": 0.7}, warm_up=0.2))
    assert "decay = 0.01" in formula(settings("weight_decay"))


@pytest.mark.parametrize("name", registry.names("networks"))
def test_an_architectures_code_builds_the_network_that_was_trained(name: str) -> None:
    shape = (32, 32, 3) if form("networks", name) == "images" else (9,)
    needed = {"of": "resnet34", "weights": "0" * 64} if name == "pretrained" else {}
    chosen = {"name": name, **needed}
    with torch.device("meta"):
        ours = registry.build("networks", chosen, 7, *((3, 32) if len(shape) == 3 else shape)).state_dict()
        theirs = run(architecture_code(chosen, 7, shape))["network"]().state_dict()
    assert {key: value.shape for key, value in ours.items()} == {key: value.shape for key, value in theirs.items()}


def test_an_architecture_keeps_its_options() -> None:
    network = run(architecture_code({"name": "cnn", "width": 5}, 4, (8, 8, 1)))["network"]()
    assert network.head.weight.shape == (4, 40)


def written(folder: Path, monkeypatch: pytest.MonkeyPatch, **modules: str) -> None:
    """Modules of a package of that name in a folder, which the search for definitions finds there."""
    from smearlab.core import digest
    from smearlab.export import standalone as place

    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(place, "module_path", lambda name: folder / f"{name.rpartition('.')[2]}.py")
    monkeypatch.setattr(place, "is_module", lambda name: (folder / f"{name.rpartition('.')[2]}.py").is_file())
    assert digest.PACKAGE == "smearlab"
    place._source.cache_clear()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "from smearlab.b import other\ndef start(): return other() + same()\ndef same(): return 1",
            "is also a name of",
        ),
        ("from smearlab import b\ndef start(): return b.other()", "it uses smearlab.b as b"),
        ("def start():\n    from smearlab.b import other\n    return other()", "it imports smearlab.b in a function"),
        ("from smearlab.b import absent\ndef start(): return absent()", "it defines no absent"),
    ],
)
def test_code_that_cannot_stand_alone_is_refused(tmp_path, monkeypatch, text: str, said: str) -> None:
    written(tmp_path, monkeypatch, a=text, b="def other(): return same()\ndef same(): return 2")
    with pytest.raises(UserError, match=f"its code cannot be written as one file: .*{said}"):
        standalone([Definition("smearlab.a", "start")])


def test_what_is_mentioned_comes_first_and_nothing_else_comes(tmp_path, monkeypatch) -> None:
    a = "import math, json\nfrom smearlab.b import SCALE\ndef start(): return SCALE * math.pi\ndef unused(): json"
    written(tmp_path, monkeypatch, a=a, b="# Twice,\n# for a reason.\nSCALE = BASE * 2\nBASE = 3\nOTHER = 1")
    code = standalone([Definition("smearlab.a", "start")])
    assert run(code)["start"]() == pytest.approx(6 * 3.141592653589793)
    assert "json" not in code and "OTHER" not in code and "# for a reason.\nSCALE" in code
