"""Remote: a running server as a source of documents, over its REST API."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from collections.abc import Mapping, Sequence
from http.client import HTTPException
from typing import Any, TypeGuard
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

from rapida_tw.cli.source import Document, Listing, Source, Usage
from rapida_tw.client import exchange
from rapida_tw.errors import CallError, Unavailable

_TIMEOUT = 15.0  # seconds for each answer
_LONGEST = 32 * 2**20  # bytes of an answer


class Refused(CallError):
    """The server answered with an error, which the text repeats."""


class _NoRedirects(HTTPRedirectHandler):
    """A redirect would carry the key to wherever it points."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Remote:
    """Everything of the API key's project."""

    def __init__(self, url: str, api_key: str) -> None:
        self._url = checked_url(url)
        self._key = api_key
        self._opener = build_opener(_NoRedirects)

    def close(self) -> None:
        """Nothing stays open between requests."""

    def assistants(self, count: int) -> Listing:
        return self._list("/v1/assistants", {"pageSize": count})

    def assistant(self, assistant_id: int) -> Document:
        return self._document("GET", f"/v1/assistants/{assistant_id}")

    def create_assistant(self, document: Document) -> Document:
        return self._document("POST", "/v1/assistants", document)

    def update_assistant(self, assistant_id: int, document: Document) -> Document:
        return self._document("PATCH", f"/v1/assistants/{assistant_id}", document)

    def delete_assistant(self, assistant_id: int) -> None:
        self._ask("DELETE", f"/v1/assistants/{assistant_id}")

    def deployment(self, assistant_id: int) -> Document:
        return self._document("GET", f"/v1/assistants/{assistant_id}/phone-deployment")

    def deploy(self, assistant_id: int, document: Document) -> Document:
        return self._document("PUT", f"/v1/assistants/{assistant_id}/phone-deployment", document)

    def credentials(self, count: int) -> Listing:
        return self._list("/v1/credentials", {"pageSize": count})

    def credential(self, credential_id: int) -> Document:
        return self._document("GET", f"/v1/credentials/{credential_id}")

    def create_credential(self, document: Document) -> Document:
        return self._document("POST", "/v1/credentials", document)

    def update_credential(self, credential_id: int, document: Document) -> Document:
        return self._document("PATCH", f"/v1/credentials/{credential_id}", document)

    def verify_credential(self, credential_id: int) -> Document:
        return self._document("POST", f"/v1/credentials/{credential_id}/verify")

    def delete_credential(self, credential_id: int) -> None:
        self._ask("DELETE", f"/v1/credentials/{credential_id}")

    def conversations(self, count: int, assistant_id: int | None) -> Listing:
        query = {"pageSize": count}
        if assistant_id is not None:
            query["assistantId"] = assistant_id
        return self._list("/v1/conversations", query)

    def conversation(self, conversation_id: int) -> Document:
        return self._document("GET", f"/v1/conversations/{conversation_id}")

    def deliveries(
        self, count: int, conversation_id: int | None, assistant_id: int | None, state: str
    ) -> Listing:
        asked = {"conversationId": conversation_id, "assistantId": assistant_id, "state": state}
        query = {name: value for name, value in asked.items() if value}
        return self._list("/v1/webhook-deliveries", {"pageSize": count, **query})

    def delivery(self, delivery_id: int) -> Document:
        return self._document("GET", f"/v1/webhook-deliveries/{delivery_id}")

    def retry_delivery(self, delivery_id: int) -> Document:
        return self._document("POST", f"/v1/webhook-deliveries/{delivery_id}/retry")

    def ping_webhooks(self, assistant_id: int) -> Sequence[Document]:
        asked = {"assistantId": str(assistant_id)}
        found = self._ask("POST", "/v1/webhook-deliveries", asked).get("data")
        if not _are_documents(found):
            raise Unavailable(f"{self._url} did not answer with a list")
        return found

    # -- HTTP -------------------------------------------------------------------------------------

    def _list(self, path: str, query: Mapping[str, object]) -> Listing:
        answer = self._ask("GET", f"{path}?{urlencode(query)}")
        items = answer.get("data")
        if not _are_documents(items):
            raise Unavailable(f"{self._url}{path} did not answer with a list")
        paginated = answer.get("paginated") or {}
        return Listing(items, paginated.get("totalItem", len(items)))

    def _document(self, method: str, path: str, body: Document | None = None) -> Document:
        data = self._ask(method, path, body).get("data")
        if not isinstance(data, dict):
            raise Unavailable(f"{self._url}{path} did not answer with a document")
        return data

    def _ask(self, method: str, path: str, body: Document | None = None) -> Document:
        """The answer's envelope; `Refused` or `Unavailable`."""
        headers = {"Accept": "application/json", "x-api-key": self._key}
        data = None
        if body is not None:
            data = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = Request(self._url + path, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=_TIMEOUT) as response:
                text = response.read(_LONGEST)
        except HTTPError as error:
            with error:
                raise Refused(_told(error.code, error.read(_LONGEST))) from None
        except URLError as error:
            reason = getattr(error.reason, "strerror", None) or error.reason
            raise Unavailable(f"no server answers at {self._url}: {reason}") from None
        except (HTTPException, OSError) as error:
            reason = getattr(error, "strerror", None) or error or type(error).__name__
            raise Unavailable(f"{self._url} broke off: {reason}") from None
        return _envelope(text, self._url + path)


def remote(arguments: Namespace) -> Remote:
    """The server of `--url`; `Usage` when there is no key for it."""
    return Remote(arguments.url, api_key(arguments))


def api_key(arguments: Namespace) -> str:
    """`--api-key`, else the variable, which no list of processes shows."""
    key = arguments.api_key or os.environ.get("RAPIDA_API_KEY", "")
    if not key:
        raise Usage("--url needs an API key: give --api-key, or set RAPIDA_API_KEY")
    if not key.isascii() or not key.isprintable():
        raise Usage("the API key has characters that no key has")
    return str(key)


def checked_url(url: str) -> str:
    """Without a slash at its end; `Usage` for what is no http(s) URL of a server."""
    try:
        return exchange.checked_url(url)
    except ValueError:
        what = "--url" if "@" in url else f"--url {url}"  # there may be a password before it
        raise Usage(f"{what}: give one like http://localhost:9007") from None


def _are_documents(found: object) -> TypeGuard[list[Document]]:
    return isinstance(found, list) and all(isinstance(one, dict) for one in found)


def _envelope(text: bytes, url: str) -> Document:
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise Unavailable(f"{url} did not answer with JSON: is it a rapida server?")
    return answer


def _told(status: int, text: bytes) -> str:
    try:
        error = json.loads(text)["error"]
        return f"{error['errorMessage']} ({error['errorCode']})"
    except (ValueError, KeyError, TypeError, RecursionError):
        return f"the server answered with HTTP {status}"


_conforms: type[Source] = Remote
