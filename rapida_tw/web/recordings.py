"""/v1/conversations/{id}/recording.wav and timeline.png: a call to be heard and seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime

from rapida_tw.carriers.base import Document
from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.store.records import Conversation, ConversationStore
from rapida_tw.web.api import Api
from rapida_tw.web.conversations import PATH, TAG, recording_name
from rapida_tw.web.operation import Operation, Parameter
from rapida_tw.web.ports import Draw, InThread
from rapida_tw.web.ranges import Part, Unsatisfiable, read_range
from rapida_tw.web.request import BoundedRequest
from rapida_tw.web.route import Route
from rapida_tw.web.sending import Sending
from rapida_tw.web.tracks import STEREO, TRACKS, TrackFile, open_track

_PRIVATE = "private, no-cache"  # a browser may keep it, and asks whether it is still the same

_WAV = Operation(
    "getRecording",
    "The call as WAV; stereo has the human on the left.",
    TAG,
    parameters=(
        Parameter("track", {"enum": list(TRACKS), "default": STEREO}, "Both sides, or one."),
    ),
    media={"audio/wav": {}},
    answers={
        206: "The part that Range asks for.",
        304: "It is still the same.",
        416: "There is no such part.",
    },
)
_PICTURE = Operation("getTimeline", "The call as a picture.", TAG, media={"image/png": {}})


class Recordings:
    """`folder` is where recordings are; None when nothing is recorded."""

    def __init__(
        self,
        store: ConversationStore,
        folder: Path | None,
        draw: Draw,
        in_thread: InThread,
        clock: IReactorTime,
    ) -> None:
        self._store = store
        self._folder = folder
        self._draw = draw
        self._in_thread = in_thread
        self._clock = clock
        self._drawing = DeferredLock()  # a long call's picture is seconds of work

    def routes(self, api: Api) -> Iterator[Route]:
        one = f"{PATH}/<conversation_id>"

        async def wav(request: BoundedRequest, **parts: str) -> Document | None:
            ask, ids = await api.enter(request, parts)
            return await self.wav(request, await self._store.get(**ids, project_id=ask.project_id))

        async def picture(request: BoundedRequest, **parts: str) -> Document:
            ask, ids = await api.enter(request, parts)
            return await self.picture(await self._store.get(**ids, project_id=ask.project_id))

        yield Route("GET", f"{one}/recording.wav", wav, None, _WAV)
        yield Route("GET", f"{one}/timeline.png", picture, None, _PICTURE)

    async def wav(self, request: BoundedRequest, conversation: Conversation) -> Document | None:
        """The track that `?track` names: all of it, or the part that Range asks for."""
        track = request.query.get("track", STEREO)
        if track not in TRACKS:
            raise BadRequest(f"track must be one of {', '.join(TRACKS)}")
        file = await self._in_thread(open_track, self._path(conversation), track)
        request.setHeader("Accept-Ranges", "bytes")
        request.setHeader("ETag", file.stamp)
        request.setHeader("Cache-Control", _PRIVATE)
        if request.header("if-none-match") == file.stamp:
            return Document(b"", "audio/wav", 304)
        try:
            part = _part(request, file)
        except Unsatisfiable:
            length = {"Content-Range": f"bytes */{file.size}"}
            return Document(b"", "audio/wav", 416, length)
        if part is not None:
            request.setResponseCode(206)
            request.setHeader("Content-Range", part.content_range)
        else:
            part = Part(0, file.size, file.size)
        request.setHeader("Content-Type", "audio/wav")
        request.setHeader("Content-Length", str(part.end - part.start))
        if request.method != b"HEAD":
            sending = Sending(request, lambda *span: self._in_thread(file.read, *span), self._clock)
            await sending.run(part.start, part.end)
        return None

    async def picture(self, conversation: Conversation) -> Document:
        """Drawn anew each time, one after the other."""
        path = self._path(conversation)
        await self._drawing.acquire()
        try:
            image = await self._in_thread(self._draw, path, conversation)
        except FileNotFoundError:
            raise NotFound("the recording is not there any more") from None
        finally:
            self._drawing.release()
        return Document(image, "image/png", headers={"Cache-Control": _PRIVATE})

    def _path(self, conversation: Conversation) -> Path:
        name = Path(recording_name(conversation)).name
        if self._folder is None or not name:
            raise NotFound("this conversation was not recorded")
        return self._folder / name


def _part(request: BoundedRequest, file: TrackFile) -> Part | None:
    # If-Range: the client has the beginning of another state of the file, so the rest is no use.
    condition = request.header("if-range")
    if condition and condition != file.stamp:
        return None
    return read_range(request.header("range"), file.size)
