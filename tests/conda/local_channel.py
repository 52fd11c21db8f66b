"""A channel of two packages in conda-forge's place, for a conda that cannot reach it: python and pip of this machine.

python3.12 tests/conda/local_channel.py FOLDER writes FOLDER/conda-forge and FOLDER/condarc; run by the very Python that
is to be packed, which must have pip. `CONDARC=FOLDER/condarc tests/conda/run.sh` then uses it.
"""

import hashlib
import io
import json
import os
import sys
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

VERSION = ".".join(map(str, sys.version_info[:3]))
LIBRARY = Path("lib") / "python{}.{}".format(*sys.version_info)
PIP = LIBRARY / "site-packages" / "pip"
LEFT_OUT = {"__pycache__", "site-packages", "test", "idlelib", "turtledemo", "ensurepip", "man"}
EXECUTABLES = {f"bin/python{ending}" for ending in ("", "3", f"3.{sys.version_info[1]}")}


def main(folder: Path) -> None:
    """Write the channel and the settings that have conda ask it alone."""
    import pip

    platform = folder / "conda-forge" / "linux-64"
    packages = [
        write_package(platform, "python", VERSION, [], files_below(Path(sys.base_prefix), is_python_s)),
        write_package(platform, "pip", pip.__version__, ["python"], files_below(site_of(pip.__file__), is_pip_s, PIP)),
    ]
    write_index(platform, "linux-64", dict(packages))
    write_index(folder / "conda-forge" / "noarch", "noarch", {})
    (folder / "condarc").write_text(
        f"channel_alias: file://{folder}\nchannels: [conda-forge]\ndefault_channels: []\n"
        f"channel_priority: strict\nsolver: {os.environ.get('SOLVER', 'libmamba')}\npkgs_dirs: [{folder}/pkgs]\n",
        encoding="utf-8",
    )


def site_of(module: str) -> Path:
    """Return the folder that a package lies in."""
    return Path(module).parent.parent


def is_python_s(path: Path) -> bool:
    """Return whether a file of a Python's prefix belongs to it, and is needed to run it."""
    if path.parts[0] == "bin":
        return str(path) in EXECUTABLES
    return path.parts[0] in ("lib", "include") and path.suffix != ".a" and not LEFT_OUT & set(path.parts)


def is_pip_s(path: Path) -> bool:
    """Return whether a file of site-packages is pip's."""
    return path.parts[0].partition("-")[0] == "pip" and "__pycache__" not in path.parts


def files_below(folder: Path, wanted: Callable[[Path], bool], at: Path = Path()) -> dict[str, Path]:
    """Return the wanted files and links below a folder, by their places in an environment."""
    at = at.parent if at.name else at
    found = ((path, path.relative_to(folder)) for path in sorted(folder.rglob("*")))
    return {str(at / place): path for path, place in found if (path.is_symlink() or path.is_file()) and wanted(place)}


def write_package(
    platform: Path, name: str, version: str, depends: list[str], files: dict[str, Path]
) -> tuple[str, dict[str, object]]:
    """Write one package; return its file name and what the channel's index says of it."""
    about = {"name": name, "version": version, "build": "0", "build_number": 0, "depends": depends}
    about = {**about, "arch": "x86_64", "platform": "linux", "subdir": "linux-64"}
    place = platform / f"{name}-{version}-0.tar.bz2"
    platform.mkdir(parents=True, exist_ok=True)
    with tarfile.open(place, "w:bz2", compresslevel=1) as package:
        for member, text in (
            ("info/index.json", json.dumps(about)),
            ("info/files", "\n".join(files)),
            ("info/paths.json", json.dumps({"paths": list(map(path_entry, files.items())), "paths_version": 1})),
        ):
            header = tarfile.TarInfo(member)
            header.size = len(text.encode())
            package.addfile(header, io.BytesIO(text.encode()))
        for member, path in files.items():
            package.add(path, member)
    content = place.read_bytes()
    hashes = {"md5": hashlib.md5(content).hexdigest(), "sha256": hashlib.sha256(content).hexdigest()}
    return place.name, {**about, **hashes, "size": len(content)}


def path_entry(item: tuple[str, Path]) -> dict[str, object]:
    """Return what conda wants to know of a file before it links it."""
    member, path = item
    if path.is_symlink():
        return {"_path": member, "path_type": "softlink"}
    content = path.read_bytes()
    return {
        "_path": member,
        "path_type": "hardlink",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_in_bytes": len(content),
    }


def write_index(folder: Path, subdir: str, packages: dict[str, dict[str, object]] | Iterable[object]) -> None:
    """Write a channel's list of what it has."""
    folder.mkdir(parents=True, exist_ok=True)
    index = {"info": {"subdir": subdir}, "packages": packages, "packages.conda": {}, "repodata_version": 1}
    (folder / "repodata.json").write_text(json.dumps(index), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
