"""What a grid asks is stamped before its first training; what was changed after that is said."""

import pytest

from configs import config
from smearlab.cli.verify import verify
from smearlab.core.errors import UserError
from smearlab.grid.cells import load_grid
from smearlab.grid.dag import RUN
from smearlab.grid.registration import place, terms
from smearlab.report.sections.registered import changed, registered
from smearlab.store.files import read_json
from smearlab.store.registered import read_stamps
from smearlab.watch.forms import unit_of
from smearlab.watch.registration import register


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def stamped(*changes):
    grid = load_grid(config(*changes))
    register(grid)
    return grid, read_stamps(place(grid.name))


def trained(folder, grid):
    at = folder / grid.folders()[0]
    at.mkdir(parents=True)
    (at / RUN).write_text("{}")


def test_headline_margin_families_and_config_are_stamped_before_any_training(folder):
    _, (stamp,) = stamped()
    assert stamp["headline"] == {"method": "label_smoothing", "alpha": 0.1, "transition": None}
    assert stamp["families"] == {"corrections": ["backward", "forward"], "smoothing": ["label_smoothing"]}
    assert (stamp["margin"], stamp["trained_before"], len(stamp["config_sha256"])) == (0.5, 0, 64)
    assert read_json(place("tiny")).items() >= stamp.items()
    (sentence,) = registered([stamp])
    assert sentence.startswith(
        "Registered before the first training: headline label smoothing with α = 0.1; margin 0.5"
    )
    assert not changed([stamp]) and not registered([])


def test_the_same_question_is_stamped_once_and_what_was_stamped_stays(folder):
    grid, first = stamped()
    before = place(grid.name).read_bytes()
    trained(folder, grid)
    assert stamped()[1] == first and place(grid.name).read_bytes() == before
    assert stamped(("margin", 1.0))[1][0] == first[0]


def test_a_change_before_the_first_training_is_no_change_after_the_fact(folder):
    stamped()
    _, found = stamped(("margin", 1.0))
    assert len(found) == 2 and not changed(found) and "margin 1 points" in registered(found)[0]


def test_a_run_after_one_of_another_config_of_the_name_says_so(folder, capsys):
    stamped(), stamped()
    assert capsys.readouterr().err == ""
    stamped(("margin", 1.0))
    said = capsys.readouterr().err
    assert said.startswith("results/tiny: the last run was of another config of this name") and said.count("\n") == 1


def test_a_change_after_the_first_training_is_told(folder):
    grid, _ = stamped()
    trained(folder, grid)
    _, found = stamped(("margin", 1.0), ("primary", {"method": "forward", "transition": "true"}))
    (sentence,) = changed(found)
    assert sentence == (
        "Changed after networks were trained: the headline was label smoothing with α = 0.1 and is forward (true T); "
        "the margin was 0.5 points and is 1 points."
    )
    assert "margin 0.5 points" in registered(found)[0] and found[-1]["trained_before"] == 1


def test_a_family_more_is_no_change_and_one_that_grows_is(folder):
    grid, first = stamped()
    trained(folder, grid)
    more = [*config()["methods"], {"name": "gce"}]
    assert not changed(stamped(("methods", more))[1])
    grown = [*config()["methods"], {"name": "online_label_smoothing", "alphas": [0.5]}]
    assert "the family smoothing was label_smoothing and is" in changed(stamped(("methods", grown))[1])[0]
    assert terms(load_grid(config(("methods", more)))) != {key: first[0][key] for key in terms(grid)}


def test_a_grid_that_was_trained_before_it_was_registered_says_so(folder):
    grid = load_grid(config())
    trained(folder, grid)
    _, found = stamped()
    assert registered(found)[0].startswith(f"Registered after 1 of {len(grid.folders())} blocks had been trained")


def test_a_damaged_registration_is_refused_and_clean_knows_the_file(folder):
    grid, _ = stamped()
    path = place(grid.name)
    path.write_text(path.read_text().replace("0.5", "0.6"))
    for refused in (register, verify):
        with pytest.raises(UserError, match=r"registered\.json: does not match .*: put back a copy, or move it away"):
            refused(grid)
    path.unlink()
    verify(grid)
    register(grid)
    assert unit_of("results", "tiny/registered.json") == "tiny"
