"""What Snakemake itself says to a config with faults, and which config it takes."""

import pytest
import yaml
from projects import TINY, Project, changed, checkout


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A checkout in which nothing has run."""
    return checkout(tmp_path_factory.mktemp("given") / "checkout")


def said(project: Project, *arguments: str) -> list[str]:
    """Return what Snakemake says as it refuses to plan, without its own remarks on profiles and configs."""
    done = project.snakemake("--dry-run", *arguments)
    assert done.returncode == 1 and "Traceback" not in done.stdout + done.stderr
    return [line for line in done.stderr.splitlines() if not line.startswith(("Using workflow", "Config file"))]


def test_every_fault_is_a_line_and_nothing_else(project):
    path = project.write(changed(keep="all", recipes__small__epochs="1e3"))
    assert said(project, "--configfile", path) == [
        "config: recipes.small.epochs: '1e3' is text, not a number (YAML wants a point: write 1.0e3)",
        "config: keep: 'all': should be 'weights', 'teachers' or 'none'",
    ]


def test_a_key_given_twice_is_refused(project):
    (project.folder / "twice.yaml").write_text(yaml.safe_dump(TINY) + "name: other\n", encoding="utf-8")
    (line,) = said(project, "--configfile", "twice.yaml")
    assert line.startswith("config ") and line.endswith("key 'name' stands twice")


def test_a_config_stands_alone(project):
    """A key that it lacks is not taken from config.yaml."""
    path = project.write(TINY)
    (project.folder / path).write_text(yaml.safe_dump({"margin": 1.0}), encoding="utf-8")
    assert said(project, "--configfile", path) == [
        f"config: {key} is missing" for key in ("name", "datasets", "noises", "recipes", "methods")
    ]


def test_a_value_of_the_command_line_changes_the_default_grid(project):
    assert said(project, "--config", "margni=1.0") == ["config: unknown key margni; did you mean 'margin'?"]
    done = project.snakemake("--dry-run", "--quiet", "host", "--config", "name=other", "margin=1.0")
    assert done.returncode == 0 and "results/other/metrics.parquet" in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("replicates={blocks: 2}", "config: replicates.blocks: '2' is text, not a number"),
        ("primary={method: label_smoothing, alpha: 0.1}", "config: primary.alpha: '0.1' is text, not a number"),
        (
            "students=[{teachers: [cross_entropy], temperatures: [4]}]",
            "config: students.0.temperatures.0: '4' is text, not a number",
        ),
    ],
)
def test_what_snakemake_made_text_of_is_sent_to_a_file(project, given, fault):
    lines = said(project, "--configfile", project.write(TINY), "--config", given)
    assert lines and all("after --config" in line and line.endswith("with --configfile)") for line in lines)
    assert lines[0].startswith(fault)
