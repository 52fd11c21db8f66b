"""`estimated(NAME, OPTION=VALUE)`: the options of an estimator, from the config to the matrix."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from configs import config
from smearlab.core.errors import UserError
from smearlab.core.jobs import EstimateJob
from smearlab.grid.cells import Cell, Grid, load_grid
from smearlab.grid.jobs import estimate_job, training_job
from smearlab.stages import estimate_transition
from smearlab.store.files import read_json, sha256_file, write_json, write_npz

FOLDER = "cross_fit-folds=5-length=0.3/paired-0"


def grid_of(*transitions: str) -> Grid:
    methods = ["cross_entropy", {"name": "forward", "transition": list(transitions)}]
    return load_grid(config(("methods", methods), ("noises.symmetric.rates", [0.4])))


def estimated_cells(grid: Grid) -> list[Cell]:
    return [cell for cell in grid.cells.values() if cell.method.estimator]


def fault(transition: str) -> str:
    with pytest.raises(UserError) as caught:
        grid_of(transition)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_options_name_the_cell_and_its_estimate() -> None:
    grid = grid_of("estimated(anchor)", "estimated(anchor, percentile=0.9)")
    plain, given = estimated_cells(grid)
    assert plain.path.endswith("/forward-transition=estimated-anchor-folds=5-length=0.3")
    assert given.path.endswith("/forward-transition=estimated-anchor-anchor.percentile=0.9-folds=5-length=0.3")
    assert plain.estimate_files("paired-0")[0].endswith(f"{FOLDER}/anchor.json")
    assert given.estimate_files("paired-0")[0].endswith(f"{FOLDER}/anchor-percentile=0.9.json")
    assert len(grid.estimates) == 1  # the same probabilities for both
    assert [row.columns["transition"] for row in grid.rows if row.cell is given] == [
        "estimated(anchor, percentile=0.9)"
    ]
    assert training_job(given, "paired-0").method.transition == "estimated(anchor, percentile=0.9)"


def test_the_job_holds_the_options() -> None:
    grid = grid_of("estimated(anchor)", "estimated(anchor, percentile=0.9)")
    jobs = {
        name: estimate_job(estimated_cells(grid)[0].estimate, "paired-0", found)
        for name, found in grid.estimators.items()
    }
    assert {name: job.options for name, job in jobs.items()} == {
        "anchor": {},
        "anchor-percentile=0.9": {"percentile": 0.9},
    }
    assert {job.estimator for job in jobs.values()} == {"anchor"}


def test_the_default_spelled_out_is_the_same_computation() -> None:
    grid = grid_of("estimated(anchor)", "estimated(anchor, percentile=0.97)")
    assert len(estimated_cells(grid)) == 1
    assert [row.columns["transition"] for row in grid.rows if row.cell.method.estimator] == [
        "estimated(anchor)",
        "estimated(anchor, percentile=0.97)",
    ]


@pytest.mark.parametrize("spelling", ["estimated(anchor,percentile=.9)", "estimated( anchor , percentile = 0.90 )"])
def test_spellings_of_one_value_are_one_transition(spelling: str) -> None:
    assert set(grid_of(spelling).cells) == set(grid_of("estimated(anchor, percentile=0.9)").cells)


def test_a_headline_may_name_them() -> None:
    methods = ["cross_entropy", {"name": "forward", "transition": "estimated(anchor, percentile=0.9)"}]
    primary = {"method": "forward", "transition": "estimated(anchor,percentile=0.90)"}
    grid = load_grid(config(("methods", methods), ("primary", primary)))
    assert grid.config.primary.transition == "estimated(anchor, percentile=0.9)"


@pytest.mark.parametrize(
    ("transition", "line"),
    [
        ("estimated(anchor, percentile=97)", "methods.1.transition.percentile: 97: should be less than or equal to 1"),
        ("estimated(anchor, percentile=high)", "methods.1.transition.percentile: 'high' is text, not a number"),
        ("estimated(anchor, percentil=0.9)", "unknown key methods.1.transition.percentil; did you mean 'percentile'?"),
        ("estimated(confident_joint, percentile=0.9)", "unknown key methods.1.transition.percentile"),
        ("estimated(anchr, percentile=0.9)", "methods.1.transition: unknown estimator 'anchr'; did you mean 'anchor'?"),
        ("estimated(anchor, percentile=0.9, percentile=0.8)", "an option stands here twice"),
        ("estimated(anchor, percentile=2020-01-01)", "'2020-01-01' is not a number, a text, true or false"),
        ("estimated(anchor, percentile=-)", "'-' is not a"),
        ("estimated(anchor", "in a list in brackets it needs quotes"),
        ("estimated(anchor, 0.9)", "allowed: estimated(NAME) or estimated(NAME, OPTION=VALUE)"),
    ],
)
def test_a_wrong_option_is_one_line(transition: str, line: str) -> None:
    assert line in fault(transition)


def test_the_estimator_is_called_with_them(tmp_path: Path) -> None:
    sharp = np.linspace(0.5, 1, 200)[:, None]
    probabilities = np.concatenate([np.hstack([sharp, 1 - sharp]), np.hstack([1 - sharp, sharp])])
    observed = np.repeat([0, 1], 200)
    loose, plain = (matrix(tmp_path, observed, probabilities, given) for given in ({"percentile": 0.8}, {}))
    assert plain[0][0] == pytest.approx(np.quantile(probabilities[:, 0], 0.97), abs=0.01)
    assert loose[0][0] == pytest.approx(np.quantile(probabilities[:, 0], 0.8), abs=0.01)


def matrix(folder: Path, observed: np.ndarray, probabilities: np.ndarray, options: dict[str, Any]) -> list[list[float]]:
    names = {"probabilities": "probabilities.npz", "run": "run.json", "audits": "audit.json", "estimate": "anchor.json"}
    paths = {name: str(folder / file) for name, file in names.items()}
    write_npz(paths["probabilities"], {"observed": observed[None], "probabilities": probabilities[None]})
    entry = {"noise_seed": 0, "seed": 0, "status": "finished", "reason": None}
    write_json(
        paths["run"],
        {"replicates": [entry], "code": "0", "probabilities_sha256": sha256_file(paths["probabilities"])},
    )
    unknown = {"transition_asked": None, "realised_noise_rate": None, "transition_realised": None}
    write_json(paths["audits"], {"noise_seed": 0, **unknown})
    job = EstimateJob(cell="estimates/own", block="paired-0", estimator="anchor", options=options, code="0")
    estimate_transition.run(job, paths, {"estimate": paths["estimate"]})
    written = read_json(paths["estimate"])
    assert written["options"] == options
    return written["replicates"][0]["transition"]
