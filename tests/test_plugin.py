"""`twistd rapida` is found however the package got onto the machine.

Real installations into small virtual environments, because what is tested is what pip, Python and
Twisted make of the files. The environments see the packages of this one, but none of its paths.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
TWISTD = ("-c", "from twisted.scripts.twistd import run; run()")
WHERE = ("-c", "import rapida_tw.tap; print(rapida_tw.tap.__file__)")
ENTRY = "from importlib.metadata import entry_points as e; print(*e(group='rapida_tw.detectors'))"


class Machine:
    """A virtual environment and a copy of what a checkout has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources = folder / "sources"
        caches = shutil.ignore_patterns("__pycache__", "dropin.cache", "*.egg-info")
        for name in ("rapida_tw", "twisted"):
            shutil.copytree(CHECKOUT / name, self.sources / name, ignore=caches)
        for name in ("setup.cfg", "pyproject.toml", "README.rst", "LICENSE"):
            shutil.copy(CHECKOUT / name, self.sources)
        venv.create(folder / "venv", symlinks=True)
        self.python = folder / "venv/bin/python"
        self.packages = next(folder.glob("venv/lib/python*/site-packages"))
        (self.packages / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def install(self, *arguments: str) -> None:
        pip = (sys.executable, "-m", "pip", "--python", str(self.python))
        options = ("install", "--no-index", "--no-build-isolation", "--no-deps", "--quiet")
        subprocess.run([*pip, *options, *arguments], check=True, cwd=self.folder)

    def run(self, *arguments: str, **environ: str) -> tuple[int, str]:
        """Run its Python away from the sources; returns exit status and all output."""
        away = self.folder / "away"
        away.mkdir(exist_ok=True)
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [self.python, *arguments], cwd=away, env=kept | environ, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_wheel(machine: Machine) -> None:
    """From a wheel: the plug-in, the package and its data, the entry points."""
    machine.install(str(machine.sources))
    shutil.rmtree(machine.sources)
    assert machine.run(*TWISTD, "rapida", "--check") == (
        0,
        "the built-in defaults: nothing wrong\n",
    )
    assert str(machine.packages) in machine.run(*WHERE)[1]
    assert "EnergyDetectorProvider" in machine.run("-c", ENTRY)[1]
    assert (machine.packages / "rapida_tw/py.typed").exists()
    assert not list(machine.packages.rglob("newsfragments"))


def test_editable(machine: Machine) -> None:
    """From an editable installation in setuptools' compatible mode."""
    machine.install("--config-settings=editable_mode=compat", "--editable", str(machine.sources))
    assert machine.run(*TWISTD, "rapida", "--check")[0] == 0
    assert str(machine.sources) in machine.run(*WHERE)[1]
    assert "EnergyDetectorProvider" in machine.run("-c", ENTRY)[1]


def test_checkout(machine: Machine) -> None:
    """From a checkout that is only on the path."""
    path = str(machine.sources)
    assert machine.run(*TWISTD, "rapida", "--check", PYTHONPATH=path)[0] == 0
    assert path in machine.run(*WHERE, PYTHONPATH=path)[1]


def test_stale_cache(machine: Machine) -> None:
    """A cache of plug-ins that is newer than ours but does not know it is made anew."""
    cache = machine.sources / "twisted/plugins/dropin.cache"
    cache.write_bytes(pickle.dumps({}))
    assert machine.run(*TWISTD, "rapida", "--check", PYTHONPATH=str(machine.sources))[0] == 0


def test_read_only(machine: Machine) -> None:
    """Where the cache cannot be written, as in a hardened service, the plug-in is found still."""
    cache = machine.sources / "twisted/plugins/dropin.cache"
    cache.mkdir()  # cannot be replaced by a file, by root neither
    assert machine.run(*TWISTD, "rapida", "--check", PYTHONPATH=str(machine.sources))[0] == 0


def test_no_package() -> None:
    """An `__init__.py` beside the plug-in would hide Twisted itself."""
    assert not list((CHECKOUT / "twisted").rglob("__init__.py"))
