"""What holds for all tests: where they run, how hypothesis searches, and no skipping in CI."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import settings

IN_CI = os.environ.get("CI", "").lower() in ("true", "1", "yes")

# No deadline: a slow moment of the machine is no failure. In CI the same examples each time.
settings.register_profile("house", deadline=None, derandomize=IN_CI, print_blob=True)
settings.load_profile("house")

# What takes minutes begins first, so that no core waits for it at the end.
_LONG = ("test_many.py", "test_many_sockets.py", "test_models.py", "test_recognizers.py")

_Report = pytest.TestReport | pytest.CollectReport


@pytest.fixture(scope="session", autouse=True)
def _folder_of_its_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Run where trial would, away from the sources: `mktemp()` makes its folders here."""
    before = os.getcwd()
    with pytest.MonkeyPatch.context() as patch:
        if "PYTHONPATH" in os.environ:  # "." must go on meaning the checkout
            paths = os.environ["PYTHONPATH"].split(os.pathsep)
            patch.setenv("PYTHONPATH", os.pathsep.join(map(os.path.abspath, paths)))
        os.chdir(tmp_path_factory.mktemp("run"))
        yield
        os.chdir(before)


def _fail_instead(report: _Report) -> None:
    """In CI, what was not run to its end counts as failed: skipped, or expected to fail."""
    if IN_CI and report.skipped:
        reason = getattr(report, "wasxfail", None) or report.longrepr
        if isinstance(reason, tuple):
            reason = reason[2]
        if hasattr(report, "wasxfail"):
            del report.wasxfail
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped in CI: {reason}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    _fail_instead(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    _fail_instead(report)
    return report


class _Counted:
    """Sees what is left out by other ways than a test's own report."""

    def __init__(self) -> None:
        self.left_out: list[str] = []

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        # trial's `todo` is an expected failure that pytest counts as passed.
        places = (
            getattr(item, "obj", None),
            getattr(item, "cls", None),
            getattr(item, "module", None),
        )
        todo = next((place.todo for place in places if hasattr(place, "todo")), None)
        if todo is not None:
            self.left_out.append(f"{item.nodeid}: todo: {todo}")

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.left_out += [f"{item.nodeid}: deselected" for item in items]

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Where tests run in several processes, each has seen all of them."""
        told = getattr(node, "workeroutput", {}).get("left_out", [])
        self.left_out += [line for line in told if line not in self.left_out]

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, None, None]:
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["left_out"] = self.left_out
        if self.left_out and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        yield

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.left_out:
            terminalreporter.section("nothing may be skipped in CI")
            for line in self.left_out:
                terminalreporter.line(f"LEFT OUT {line}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in _LONG)


def pytest_configure(config: pytest.Config) -> None:
    if IN_CI:
        config.pluginmanager.register(_Counted())
