"""The first start of an installation, a call, a stop; and the second start."""

from __future__ import annotations

import stat
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.server.caller import Caller, talk
from tests.server.installation import KEY, Installation
from tests.server.process import ServerProcess, complaints


@dataclass(frozen=True, slots=True)
class Run:
    """What is left of one run."""

    printed: str
    status: int
    stopping: float  # seconds from SIGTERM to the end
    assistant: str
    secret_key: str


@dataclass(frozen=True, slots=True)
class Story:
    installation: Installation
    log: Path  # of both runs
    first: Run
    second: Run


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Two runs, each with a call; the log goes to a file, at its most talkative."""
    installation = Installation(tmp_path_factory.mktemp("server"), LOG__LEVEL="debug")
    log = installation.folder / "rapida.log"
    return Story(installation, log, _run(installation, log), _run(installation, log))


def _run(installation: Installation, log: Path) -> Run:
    with ServerProcess(installation, "--logfile", str(log)) as server:
        assistant = installation.assistant()
        caller = Caller(installation.audiosocket, installation.context(assistant))
        talk([caller], until=lambda: caller.loud)
        caller.hang_up()
        before = time.monotonic()
        server.terminate()
        status = server.status()
        stopping = time.monotonic() - before
        secret_key = (installation.data / "secret_key").read_text()
        return Run(server.printed(), status, stopping, assistant, secret_key)


def test_key_is_printed_once(story: Story) -> None:
    """The first start prints the API key, and nothing else beside its log."""
    assert story.first.printed == f"API key (shown this once): {story.installation.api_key}\n"


def test_second_start_is_quiet(story: Story) -> None:
    """The second start makes no key and prints nothing."""
    assert story.second.printed == ""


def test_key_is_not_kept(story: Story) -> None:
    """The key, though used in headers and in queries, is in no file, log or data."""
    files = [path for path in story.installation.folder.rglob("*") if path.is_file()]
    assert {story.log, story.installation.data / "rapida.db"} <= set(files)
    key = story.installation.api_key.encode()
    kept = [path.name for path in files if key in path.read_bytes()]
    assert kept == []  # the first start's output has been overwritten by the second's


def test_log_tells_of_the_key(story: Story) -> None:
    """Who did not see it, for a daemon has no output, learns where another one comes from."""
    text = story.log.read_text()
    assert text.count("`rapida key create` makes another") == 1
    assert KEY.search(text) is None


def test_files(story: Story) -> None:
    """There are a database, a secret key and recordings, and they are nobody else's."""
    data = story.installation.data
    assert {path.name for path in data.iterdir()} == {"rapida.db", "secret_key", "recordings"}
    recordings = list((data / "recordings").iterdir())
    assert len(recordings) == 2
    for path in (data / "rapida.db", data / "secret_key", *recordings):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_secret_key_stays(story: Story) -> None:
    """The key that protects credentials is made once: another would not open them again."""
    assert len(story.first.secret_key.strip()) >= 32
    assert story.second.secret_key == story.first.secret_key


def test_same_assistant(story: Story) -> None:
    """The second start finds the assistant of the first."""
    assert story.second.assistant == story.first.assistant
    assert story.log.read_text().count(f"assistant {story.first.assistant} takes calls") == 2


def test_stop_without_calls(story: Story) -> None:
    """SIGTERM with nobody on the phone ends it at once, and well."""
    for run in (story.first, story.second):
        assert run.status == 0
        assert run.stopping < 5  # it takes 0.1; a drain would take a second, its goodbye six


def test_no_complaints(story: Story) -> None:
    """A start, a call and a stop leave no warning and no traceback."""
    assert complaints(story.log.read_text()) == []
