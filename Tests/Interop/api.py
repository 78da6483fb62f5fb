"""The HTTP interface as one person uses it: a kept connection, their token, answers with their problem's code."""

import http.client
import json
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

SECONDS = 10


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str | None:
        """The problem document's `code`; None for an answer that is no problem."""
        return self.json["code"] if self.headers.get("Content-Type") == "application/problem+json" else None


class Api:
    """One person's connection; `headers` go with every request."""

    def __init__(self, base: str, token: str | None = None, **headers: str) -> None:
        address = urlsplit(base)
        self._connection = http.client.HTTPConnection(address.hostname, address.port, timeout=SECONDS)
        self.headers = dict(headers) | ({"Authorization": f"Bearer {token}"} if token else {})

    def ask(
        self, method: str, path: str, body: object = None, *, content_type: str | None = None, **headers: str
    ) -> Answer:
        """One request; a body that is neither bytes nor text goes as JSON. `_` in a keyword is `-` in the field's name.

        The service holds everybody to a rate: whoever is told so waits and asks again.
        """
        while True:
            answer = self._ask(method, path, body, content_type, headers)
            if answer.code != "tooFast":
                return answer
            time.sleep(float(answer.headers["Retry-After"]))

    def _ask(self, method: str, path: str, body: object, content_type: str | None, headers: dict[str, str]) -> Answer:
        fields = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        data = body.encode() if isinstance(body, str) else body
        if data is not None and not isinstance(data, bytes):
            data, content_type = json.dumps(data).encode(), content_type or "application/json"
        if content_type:
            fields["Content-Type"] = content_type
        try:
            self._connection.request(method, path, data, fields)
            response = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            # The server may end a kept connection between two requests.
            self._connection.close()
            self._connection.request(method, path, data, fields)
            response = self._connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def get(self, path: str) -> Any:
        """What is there, as JSON; fails unless it is there."""
        return self._good(self.ask("GET", path), path)

    def post(self, path: str, body: object = None, **options: str) -> Any:
        """What comes of it, as JSON; fails unless something does."""
        return self._good(self.ask("POST", path, {} if body is None else body, **options), path)

    def _good(self, answer: Answer, path: str) -> Any:
        assert 200 <= answer.status < 300, f"{path}: {answer.status} {answer.body.decode(errors='replace')}"
        return answer.json if answer.body else None

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> "Api":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
