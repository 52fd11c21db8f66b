"""Homes that cannot be written, users without a name, checkouts of somebody else, schedulers that are not there."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from smearlab.core.errors import UserError
from smearlab.host import packages, surroundings
from smearlab.host.checkout import WRITTEN, check_writable
from smearlab.host.packages import check_packages
from smearlab.host.scheduler import check_scheduler
from smearlab.host.surroundings import CACHES, settle

ROOT = Path(__file__).parents[2]
ASKED = (
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "MPLCONFIGDIR",
    "PYTHONNOUSERSITE",
    "LOGNAME",
    "USER",
    "LNAME",
    "USERNAME",
)
ANYBODY = ["setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps", "+dac_read_search", "--ambient-caps"]
COMMANDS = ("list", "plan smoke", "check smoke", "status smoke", "explain smoke", "clean", "--help", "list --help")


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder, and an environment that says nothing but where the home is; writable unless changed."""
    monkeypatch.chdir(tmp_path)
    for name in ASKED:
        monkeypatch.setenv(name, "")  # so that what the code sets is undone
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path


def unwritable(folder: Path) -> Path:
    """Return a place in which nobody, root included, can make a folder."""
    (folder / "file").touch()
    return folder / "file" / "home"


def test_a_home_that_can_be_written_stays(bare: Path):
    settle()
    assert "XDG_CACHE_HOME" not in os.environ and "MPLCONFIGDIR" not in os.environ
    assert not (bare / CACHES).exists()


def test_caches_lie_in_the_checkout_where_the_home_cannot_be_written(bare: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(unwritable(bare)))
    settle()
    assert os.environ["XDG_CACHE_HOME"] == str(bare / CACHES)
    assert os.environ["MPLCONFIGDIR"] == str(bare / CACHES / "matplotlib")


def test_caches_that_a_user_has_chosen_stay_where_they_can_be_written(bare: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", str(unwritable(bare)))
    for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(bare / name))
    settle()
    assert [os.environ[name] for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR")] == [
        str(bare / name) for name in ("XDG_CACHE_HOME", "MPLCONFIGDIR")
    ]


def test_a_user_without_a_name_gets_the_number_as_one(bare: Path, monkeypatch: pytest.MonkeyPatch):
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found")

    settle()
    assert "LOGNAME" not in os.environ
    monkeypatch.setattr(surroundings.getpass, "getuser", nameless)
    settle()
    assert os.environ["LOGNAME"] == str(os.getuid())


@pytest.mark.parametrize(("own", "said"), [(True, None), (False, "1")])
def test_packages_of_the_user_s_home_are_left_out_unless_snakemake_is_one(
    own: bool, said: str | None, bare: Path, monkeypatch: pytest.MonkeyPatch
):
    """A job of a conda environment would otherwise import them instead of the environment's."""
    place = bare / "site" if own else bare / "elsewhere"
    monkeypatch.setattr(packages, "find_spec", lambda name: SimpleNamespace(origin=f"{place}/snakemake/__init__.py"))
    monkeypatch.setattr(packages.site, "ENABLE_USER_SITE", True)
    monkeypatch.setattr(packages.site, "getusersitepackages", lambda: str(bare / "site"))
    settle()
    assert os.environ.get("PYTHONNOUSERSITE") == said


def test_rules_are_read_with_what_check_packages_asks_for_and_snakemake_s_own():
    """Importing what the Snakefile imports loads no other package, so a bare Snakemake with numpy reads it."""
    code = (
        "import sys; from smearlab.watch import codebook, leftovers;"
        "from smearlab.grid import cells, jobs, load, resources;"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert set(packages.FOR_READING) <= loaded
    assert not loaded & {
        "torch",
        "pandas",
        "scipy",
        "sklearn",
        "pyarrow",
        "matplotlib",
        "PIL",
        "filelock",
        "safetensors",
    }


def test_a_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name == "numpy" else name)
    with pytest.raises(UserError, match=r"no numpy, .*--use-conda, `pip install snakemake numpy`"):
        check_packages()


def test_without_sbatch_the_slurm_profile_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="there is no `sbatch` on this machine"):
        check_scheduler("slurm", SimpleNamespace(array_jobs=None))
    check_scheduler("local", None)
    (tmp_path / "sbatch").touch(0o755)
    check_scheduler("slurm", SimpleNamespace(array_jobs=None))
    with pytest.raises(UserError, match="--slurm-array-jobs: every member"):
        check_scheduler("slurm", SimpleNamespace(array_jobs="train_teacher"))


def test_a_folder_of_one_s_own_is_no_fault(tmp_path: Path):
    check_writable(tmp_path)
    for name in WRITTEN:
        (tmp_path / name).mkdir()
    check_writable(tmp_path)


@pytest.mark.parametrize("name", [Path(), *WRITTEN], ids=str)
def test_a_checkout_that_one_may_not_write_to_is_one_line(name: Path, tmp_path: Path):
    """As root the command runs as somebody else, who may read everything; a user is refused their own folder."""
    root = os.getuid() == 0
    if root and not shutil.which("setpriv"):
        pytest.skip("needs setpriv, or another user than root")
    if name != Path():
        for place in WRITTEN:
            (tmp_path / place).mkdir()
            (tmp_path / place).chmod(0o777)
    tmp_path.chmod(0o777)
    (tmp_path / name).chmod(0o555)
    command = [sys.executable, "-m", "smearlab", "clear-locks"]
    run = subprocess.run(
        [*ANYBODY, "+dac_read_search", *command] if root else command,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    (tmp_path / name).chmod(0o777)
    assert run.returncode == 1 and run.stderr.count("\n") == 1
    assert run.stderr.startswith(f"{tmp_path / name}: ")
    assert ("belongs to root, and nobody may not write there" in run.stderr) == root


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("unread", ["stdout", "stderr and stdout"])
def test_a_reader_who_has_seen_enough_is_no_fault(command: str, unread: str):
    reading, writing = os.pipe()
    os.close(reading)
    stderr = subprocess.PIPE if unread == "stdout" else subprocess.STDOUT
    with open(writing, "wb") as pipe:
        run = subprocess.run(
            [sys.executable, "-m", "smearlab", *command.split()], cwd=ROOT, stdout=pipe, stderr=stderr, text=True
        )
    assert run.returncode == 0 and not run.stderr


@pytest.mark.parametrize(("home", "inside"), [("home", False), ("file/home", True), ("", True)])
def test_make_keeps_caches_in_the_checkout_where_the_home_cannot_be_written(home: str, inside: bool, tmp_path: Path):
    """Snakemake, pip and uv ask for a cache before any of our code runs."""
    (tmp_path / "home").mkdir()
    (tmp_path / "file").touch()
    shutil.copy(ROOT / "Makefile", tmp_path)
    (tmp_path / "show.mk").write_text("show:\n\t@echo $$XDG_CACHE_HOME\n", encoding="utf-8")
    environment = {key: value for key, value in os.environ.items() if key not in (*ASKED, "MAKEFLAGS", "MFLAGS")}
    run = subprocess.run(
        ["make", "--silent", "--file", "Makefile", "--file", "show.mk", "show"],
        cwd=tmp_path,
        env=environment | {"HOME": f"{tmp_path}/{home}" if home else ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == (f"{tmp_path}/.smearlab/cache" if inside else "")


@pytest.mark.parametrize(("has", "refused"), [("Python 2.6", True), (None, False), ("the same", False)])
def test_make_does_not_pass_over_another_python_than_that_of_its_environment(
    has: str | None, refused: bool, tmp_path: Path
):
    """The .venv that is there stays what it is, so whoever asks for another Python is told."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    if has is not None:
        python = tmp_path / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\necho {has}\n" if refused else f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
    command = ["make", "--dry-run", "setup", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    said = f".venv is of {has}, and PYTHON={sys.executable} is not"
    assert (said in done.stderr, len(done.stderr.splitlines())) == (True, 1) if refused else said not in done.stderr
