"""Parts of the docs that follow from published runs are what their command writes, and it reads tables rightly."""

import json
import re
from pathlib import Path

import pytest

from smearlab.cli import published
from smearlab.cli.published_answers import answer, runs, sentences
from smearlab.cli.published_tables import CLIPPED, found_wrong, headlines, noises, symmetric
from smearlab.core.digest import ROOT
from smearlab.core.errors import UserError

RUNS = ROOT / "reports" / "published"
COLUMNS = "noise,noise_rate,recipe,role,method,alpha,transition,options,teacher_method,teacher_alpha,temperature"
COLUMNS += ",mean,difference,ci_low,ci_high,ci_low_simultaneous,ci_high_simultaneous,verdict"
COLUMNS += ",difference_selected,ci_low_selected,ci_high_selected,verdict_selected"


def run(folder: Path, name: str, *rows: str) -> Path:
    """A published run of a few rows."""
    (folder / name).mkdir(parents=True)
    (folder / name / "summary.csv").write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")
    metrics = "noise,noise_rate,recipe,role,method,memorised\nsymmetric,0.4,r,teacher,cross_entropy,"
    (folder / name / "metrics.csv").write_text(f"{metrics}0.7\nsymmetric,0.2,r,teacher,cross_entropy,0.1\n", "utf-8")
    return folder


PLAIN = "symmetric,0.4,r,teacher,cross_entropy,,,,,,,0.72,,,,,,baseline,,,,"
SMOOTHED = "symmetric,0.4,r,teacher,label_smoothing,0.1,,,,,,0.76,0.04,0.02,0.06,0.01,0.07,helps,-0.01,-0.03,0.01,hurts"
BARE = "symmetric,0.4,r,teacher,backward,,matched,,,,,0.1,-0.62,-0.7,-0.5,,,hurts,,,,"
OTHER = "symmetric,0.2,r,teacher,label_smoothing,0.1,,,,,,0.9,0.5,0.4,0.6,,,helps,,,,"


@pytest.mark.parametrize("page", published.pages(), ids=lambda path: path.name)
def test_the_parts_of_a_page_are_what_the_command_writes(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == published.written(page, RUNS)


def test_the_pages_with_parts_are_the_readmes_and_those_of_the_grids() -> None:
    named = {str(page.relative_to(ROOT)) for page in published.pages()}
    assert named == {"README.md", "docs/found.md", "docs/worked-example.md", "reports/published/README.md"}


def test_methods_stand_with_interval_and_verdict_of_both_stopping_rules(tmp_path) -> None:
    lines = symmetric(run(tmp_path, "digits", PLAIN, SMOOTHED, BARE, OTHER), "long").splitlines()
    assert lines[0] == "| 40 % symmetric noise | handwritten digits |"
    assert "| cross-entropy | 72.0 % |" in lines and lines[-1].endswith("| 70 % |")
    assert "| label smoothing 0.1 (the paper's) | +4.0 (+1.0 to +7.0), helps |" in lines
    assert "| the same, stopped early | −1.0 (−3.0 to +1.0), hurts |" in lines
    assert "| backward correction with the matched T, bare formula | −62.0 (−70.0 to −50.0), hurts |" in lines
    assert not any("clipped" in line or "0.8" in line for line in lines)  # rows that no run has


def test_a_clipped_correction_is_not_taken_for_the_bare_one(tmp_path) -> None:
    quoted = CLIPPED.replace('"', '""')
    clipped = BARE.replace("matched,,", f'matched,"{quoted}",')
    lines = symmetric(run(tmp_path, "digits", PLAIN, clipped)).splitlines()
    assert any(line.startswith("| backward correction with the matched T, clipped | −62.0") for line in lines)
    assert not any("bare" in line for line in lines)


def test_a_run_that_is_published_later_gets_its_column_and_its_rows(tmp_path) -> None:
    run(run(tmp_path, "digits", PLAIN), "cifar100_cpu", PLAIN, PLAIN.replace("symmetric", "within_superclass"))
    assert symmetric(tmp_path).splitlines()[0].endswith("| handwritten digits | CIFAR-100, 10,000 images |")
    assert "CIFAR-100, 10,000 images: within superclasses | 72.0 %" in noises(tmp_path)


def test_the_headline_stands_at_every_rate_by_every_stopping_rule(tmp_path) -> None:
    head = f"{COLUMNS},n,ci_low_examples,ci_high_examples,difference_label_wave,ci_low_label_wave,ci_high_label_wave"
    (tmp_path / "digits_headline").mkdir()
    rows = [f"{head},verdict_label_wave", f"{PLAIN},20{'':,<6}", f"{SMOOTHED},20,0.0,0.08,0.02,0.01,0.03,helps"]
    (tmp_path / "digits_headline" / "summary.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert headlines(tmp_path).splitlines()[2:] == [
        "| more replicates | 40 % | 20 | +4.0 (+1.0 to +7.0), helps | −1.0 (−3.0 to +1.0), hurts "
        "| +2.0 (+1.0 to +3.0), helps | 0.0 to +8.0 |"
    ]


def test_every_run_is_listed_with_the_first_sentence_of_its_page_and_what_the_first_release_said() -> None:
    lines = runs(RUNS).splitlines()[2:]
    earlier = json.loads((RUNS / "earlier.json").read_text("utf-8"))
    assert len(lines) == len(list(RUNS.glob("*/report.html")))
    for line in lines:
        name = re.match(r"\| \[(\w+)\]", line)[1]
        assert sentences(RUNS / name)[0] in line and earlier.get(name, "–") in line
        assert int(line.split("|")[5]) > 0


def test_an_answer_is_quoted_without_its_markup(tmp_path) -> None:
    (tmp_path / "x").mkdir()
    said = '<p class="headline">Yes: <b>a</b> &lt; b.</p><p>So\nit is.</p>'
    page = f'<section id="answer" class="a"><h2>The answer</h2>{said}</section>'
    (tmp_path / "x" / "report.html").write_text(page, encoding="utf-8")
    assert answer(tmp_path, "x") == "> Yes: a < b.\n>\n> So it is."


def test_an_unknown_part_and_a_page_without_an_answer_are_refused(tmp_path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- published: nothing -->\n<!-- end -->\n", encoding="utf-8")
    with pytest.raises(UserError, match="published: 'nothing'; allowed are answer, headlines, noises"):
        published.written(page, RUNS)
    (tmp_path / "report.html").write_text("<p>nothing</p>", encoding="utf-8")
    with pytest.raises(UserError, match="has no answer"):
        sentences(tmp_path)


def test_suspects_are_held_against_the_truth_run_by_run(tmp_path: Path) -> None:
    assert found_wrong(tmp_path) == "No published run says it yet."
    head = (
        "dataset,noise,noise_rate,recipe,kind,n,n_wrong,share_wrong,n_doubted,precision_at_100,precision_at_wrong,auc"
    )
    for name, rate, auc in (("b", 0.4, 0.914), ("a", 0.0, "")):
        (tmp_path / name).mkdir()
        row = f"digits,pair,{rate},small,pair_flip,1000,250,0.25,300,0.81,0.7,{auc}"
        (tmp_path / name / "suspects_by_noise.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
    head, _, *rows = found_wrong(tmp_path).splitlines()
    assert rows == ["| b | digits | pair (pair_flip) | 40 % | 1000 | 25.0 % | 81.0 % | 70.0 % | 0.91 |"]


def test_runs_that_know_no_wrong_label_are_no_table(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "suspects_by_noise.csv").write_text("dataset,noise,auc\nown,given,\n", encoding="utf-8")
    assert found_wrong(tmp_path) == "No published run says it yet."
