"""In CI a test that is not run is a failed test, whichever way it was left out."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

WAYS = {
    "call": "import pytest\ndef test_x():\n    pytest.skip('no peer')\n",
    "mark": "import pytest\n@pytest.mark.skip('no peer')\ndef test_x():\n    pass\n",
    "condition": "import pytest\n@pytest.mark.skipif('True', reason='no peer')\n"
    "def test_x():\n    pass\n",
    "fixture": "import pytest\n@pytest.fixture\ndef peer():\n    pytest.skip('no peer')\n"
    "def test_x(peer):\n    pass\n",
    "module": "import pytest\npytest.skip('no peer', allow_module_level=True)\n",
    "import": "import pytest\npytest.importorskip('no_peer', reason='no peer')\n",
    "xfail": "import pytest\n@pytest.mark.xfail(reason='no peer')\n"
    "def test_x():\n    raise ValueError\n",
    "unittest": "import unittest\nclass X(unittest.TestCase):\n    def test_x(self):\n"
    "        raise unittest.SkipTest('no peer')\n",
    "subtest": "import unittest\nclass X(unittest.TestCase):\n    def test_x(self):\n"
    "        with self.subTest():\n            self.skipTest('no peer')\n",
    "trial": "from twisted.trial.unittest import TestCase\nclass X(TestCase):\n"
    "    skip = 'no peer'\n    def test_x(self):\n        pass\n",
    "todo": "from twisted.trial.unittest import TestCase\nclass X(TestCase):\n"
    "    def test_x(self):\n        raise ValueError\n    test_x.todo = 'no peer'\n",
}


GOOD = "def test_x():\n    pass\n"


def run(folder: Path, sources: dict[str, str], *options: str, ci: str = "true") -> tuple[int, str]:
    """Run pytest with our conftest on `sources`; returns its status and output."""
    shutil.copy(Path(__file__).with_name("conftest.py"), folder / "conftest.py")
    for name, source in sources.items():
        folder.joinpath(f"test_{name}.py").write_text(source)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-ra", *options]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"CI": ci}, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a run in CI says in which tests were left out in every way."""
    _, output = run(tmp_path_factory.mktemp("ci"), WAYS, "--continue-on-collection-errors")
    return output


@pytest.mark.parametrize("way", WAYS)
def test_told(way: str, summary: str) -> None:
    """Each is among the failures, with its reason."""
    line = re.search(
        rf"^(FAILED|SUBFAILED\S*|ERROR|LEFT OUT) test_{way}\.py.*", summary, re.MULTILINE
    )
    assert line, summary
    assert "no peer" in line[0]


@pytest.mark.parametrize("way", ["call", "todo", "subtest"])
def test_fails(way: str, tmp_path: Path) -> None:
    """One such test fails the run."""
    status, output = run(tmp_path, {way: WAYS[way], "good": GOOD})
    assert status == 1, output
    assert "nothing may be skipped in CI" in output


@pytest.mark.parametrize("way", ["call", "todo"])
def test_fails_in_a_process_of_its_own(way: str, tmp_path: Path) -> None:
    """Also where tests run beside each other."""
    status, output = run(tmp_path, {way: WAYS[way], "good": GOOD}, "-n", "2")
    assert status == 1, output
    assert "nothing may be skipped in CI" in output


def test_deselected(tmp_path: Path) -> None:
    """Choosing among the tests is leaving some out."""
    status, output = run(tmp_path, {"one": GOOD, "two": GOOD}, "-k", "two")
    assert status == 1, output
    assert "LEFT OUT test_one.py::test_x: deselected" in output


def test_nothing_left_out(tmp_path: Path) -> None:
    """A run of all tests passes."""
    status, output = run(tmp_path, {"one": GOOD})
    assert status == 0, output


def test_at_home(tmp_path: Path) -> None:
    """On a developer's machine a skip is a skip, with its reason in the summary."""
    status, output = run(tmp_path, {"call": WAYS["call"]}, ci="")
    assert status == 0, output
    assert re.search("^SKIPPED.*no peer", output, re.MULTILINE)
