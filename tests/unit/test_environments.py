"""conda environments, container recipes and the lock name the same exact versions, and every rule names its own."""

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from test_layers import imports

from smearlab.cli import pins as cli_pins
from smearlab.cli.pins import FAMILIES, PYTHON, closure, environment_path, environment_text

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
BOOTSTRAP = (ROOT / "requirements.bootstrap.lock").read_text(encoding="utf-8")
OTHER_NAMES = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "pyyaml"}
STANDARD = __import__("sys").stdlib_module_names
BY_REGISTRY = {  # what stages reach through the registry, by name and not by import
    "train": "datasets noises estimators methods networks optimisers schedules augmentations metrics claims".split(),
    "report": ["figures"],
}


def environment(family: str) -> dict[str, Any]:
    """One conda environment, as conda reads it."""
    return yaml.safe_load(environment_path(family).read_text(encoding="utf-8"))


def rules() -> dict[str, str]:
    """The text of every rule, by name."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "workflow" / "rules").glob("*.smk")))
    parts = re.split(r"^rule (\w+):$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def family_of(rule: str) -> str:
    """The conda environment that a rule names."""
    (name,) = re.findall(r'conda:\s*"\.\./\.\./envs/(\w+)\.yaml"', rules()[rule])
    return name


def lines(family: str) -> list[str]:
    """The pip section of an environment: what pip is given, a line each."""
    (pip,) = (entry["pip"] for entry in environment(family)["dependencies"] if isinstance(entry, dict))
    return pip


def pins(family: str) -> set[str]:
    """The packages pinned in an environment."""
    return {line.partition("==")[0] for line in lines(family)}


def locked_lines() -> set[str]:
    """What the lock gives pip, a line for each package, read apart from how the environments are written."""
    text = re.sub(r"^ *#.*\n?", "", LOCK, flags=re.MULTILINE).replace("\\\n", " ")
    return {" ".join(line.split()) for line in text.splitlines()}


def installed(package: str) -> bool:
    """Whether a package is here: those of other platforms and Pythons are not."""
    try:
        return bool(distribution(package))
    except PackageNotFoundError:
        return False


def needed(package: str) -> set[str]:
    """What an installed package says that it needs, on Linux and the Python of the environments."""
    marked = {**default_environment(), "python_version": PYTHON, "python_full_version": f"{PYTHON}.0", "extra": ""}
    asked = map(Requirement, distribution(package).requires or [])
    return {
        canonicalize_name(wanted.name) for wanted in asked if wanted.marker is None or wanted.marker.evaluate(marked)
    }


def test_there_are_environments_for_all_families_and_no_others() -> None:
    assert {path.stem for path in (ROOT / "envs").iterdir()} == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES)
def test_an_environment_is_what_make_lock_writes(family: str) -> None:
    assert environment_path(family).read_text(encoding="utf-8") == environment_text(family)


@pytest.mark.parametrize("family", FAMILIES)
def test_conda_gives_python_and_pip_and_chooses_nothing_else(family: str) -> None:
    content = environment(family)
    assert content["channels"] == ["conda-forge"]
    from_conda = [entry for entry in content["dependencies"] if isinstance(entry, str)]
    assert len(from_conda) == 2 and re.fullmatch(r"python=3\.1[1-3]", from_conda[0]) and from_conda[1] == "pip"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_line_is_the_lock_s_with_its_hashes(family: str) -> None:
    assert lines(family)
    assert set(lines(family)) <= locked_lines()
    assert all(re.search(r" --hash=sha256:[0-9a-f]{64}$", line) for line in lines(family))


@pytest.mark.parametrize("family", FAMILIES)
def test_all_that_a_pinned_package_pulls_in_is_pinned(family: str) -> None:
    pulled_in = {wanted for package in pins(family) if installed(package) for wanted in needed(package)}
    assert "numpy" in pulled_in and pulled_in <= pins(family)


def test_what_pulls_in_what_is_read_from_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = "--hash=sha256:" + "0" * 64
    (tmp_path / "requirements.lock").write_text(
        f"a==1 \\\n    {digest} \\\n    {digest[:-1]}1\n    # via -r requirements.in\n"
        f"b==2 ; python_full_version < '3.12' \\\n    {digest}\n    # via\n    #   -r requirements.in\n    #   a\n"
        f"c==3 \\\n    {digest}\n    # via b\n"
        f"d==4 \\\n    {digest}\n    # via -r requirements.in\n"
        f"via==5 \\\n    {digest}\n    # via d\n"
    )
    monkeypatch.setattr(cli_pins, "ROOT", tmp_path)
    assert [entry.name for entry in closure(["a"])] == ["a", "b", "c"]
    assert [entry.name for entry in closure(["d"])] == ["d", "via"]
    first, second, _ = closure(["a"])
    assert (first.requirement, first.hashes) == ("a==1", (digest, f"{digest[:-1]}1"))
    assert second.requirement == "b==2 ; python_full_version < '3.12'"
    with pytest.raises(SystemExit, match="there is no nowhere"):
        closure(["nowhere"])


def test_every_rule_with_a_script_names_its_environment() -> None:
    for rule, text in rules().items():
        assert "script:" in text and not re.search(r"^    (run|shell):", text, re.MULTILINE)
        assert family_of(rule) in FAMILIES


def foreign_names(start: list[Path]) -> set[str]:
    """The packages that modules of ours import, and those that they import in turn."""
    waiting, found = list(start), set()
    for path in waiting:
        for name in imports(path):
            own = [file for module in (name, name.rpartition(".")[0]) for file in files_of(module)]
            waiting += [file for file in own if file not in waiting]
            found.add(name.partition(".")[0])
    return {name for name in found if name not in STANDARD and name != "smearlab"}


def files_of(module: str) -> list[Path]:
    """The file of a module of ours; none for any other."""
    base = ROOT.joinpath(*module.split("."))
    files = (base.with_suffix(".py"), base / "__init__.py")
    return [file for file in files if module.startswith("smearlab.") and file.is_file()]


@pytest.mark.parametrize("rule", rules())
def test_the_environment_of_a_rule_has_all_that_its_stage_imports(rule: str) -> None:
    family = family_of(rule)
    assert '"../scripts/run_stage.py"' in rules()[rule]
    start = [ROOT / "workflow" / "scripts" / "run_stage.py", *files_of(f"smearlab.stages.{rule}")]
    assert len(start) == 2
    start += [path for kind in BY_REGISTRY[family] for path in (ROOT / "smearlab" / kind).glob("*.py")]
    found = foreign_names(start)
    assert {"numpy", "yaml"} & found
    assert {OTHER_NAMES.get(name, name) for name in found} <= pins(family)


@pytest.mark.parametrize("text", [LOCK, BOOTSTRAP], ids=["lock", "bootstrap"])
def test_a_lock_pins_exactly_and_by_hash(text: str) -> None:
    entries = re.split(r"\n(?=\S)", text.strip())
    for entry in entries:
        assert re.match(r"[a-z0-9][a-z0-9._-]*==[^\s;\\]+( ;[^\\]+)? \\\n", entry), entry[:80]
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)


def recipe(name: str) -> str:
    """A container recipe without its comments, continued lines joined."""
    lines = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    return "\n".join(line for line in lines if not line.lstrip().startswith("#"))


@pytest.mark.parametrize("name", ["Dockerfile", "apptainer.def"])
def test_a_container_is_built_from_the_lock_on_an_exact_base(name: str) -> None:
    text = recipe(name)
    (base,) = re.findall(r"^(?:FROM|From:) (\S+)$", text, re.MULTILINE)
    assert re.fullmatch(r"python:3\.1[1-3]\.\d+-slim-[a-z]+", base)
    assert base.split(":")[1].startswith(environment("train")["dependencies"][0].partition("=")[2])
    installs = re.findall(r"pip install[^&\n]*", text)
    assert len(installs) == 2
    for install, lock in zip(installs, ("requirements.bootstrap.lock", "requirements.lock"), strict=True):
        assert "--require-hashes" in install and f"--requirement {lock}" in install
        assert lock in re.sub(r"pip install[^&\n]*", "", text)  # and it is copied in


def test_both_containers_have_the_same_base() -> None:
    bases = {re.findall(r"^(?:FROM|From:) (\S+)$", recipe(name), re.M)[0] for name in ("Dockerfile", "apptainer.def")}
    assert len(bases) == 1


def test_the_docker_image_is_clean() -> None:
    text = recipe("Dockerfile")
    commands = re.findall(r"^([A-Z]+) ", text, re.MULTILINE)
    assert set(commands) <= {"FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER", "ENTRYPOINT", "CMD"}
    user = [line.split()[1] for line in text.splitlines() if line.startswith("USER ")]
    assert user and user[-1] not in ("root", "0")
    assert text.index("USER ") < text.index("ENTRYPOINT ")
    assert not re.search(r"curl|wget|sudo|apt-get|:latest|ADD ", text)
    assert all(line.startswith(("ENTRYPOINT [", "CMD [")) for line in re.findall(r"^(?:ENTRYPOINT|CMD).*", text, re.M))


def test_only_the_locks_are_sent_to_the_image() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert lines[0] == "*" and set(lines[1:]) == {"!requirements.lock", "!requirements.bootstrap.lock"}
