"""Bad requests on the HTTP interface get a clear answer and are counted; a bystander goes on as if nothing happened."""

import json
import re
import urllib.error
import urllib.request

import pytest

from bystander_scene import running, scene  # noqa: F401 (fixtures)
from bystander_scene import ANSWER_SECONDS, MOST_SECONDS, SHARE, Scene

JSON = "application/json"
EVENTS = "/api/v1/incidents/{incident}/events"
#: Method, path, body, Content-Type; status, code, words.
REQUESTS: dict[str, tuple[tuple[str, str, str | bytes, str], int, str, str]] = {
    "wrong content type": (("POST", EVENTS, "{}", "text/plain"), 415, "unsupportedMediaType", JSON),
    "no content type": (("POST", EVENTS, "{}", ""), 415, "unsupportedMediaType", JSON),
    "no JSON": (("POST", EVENTS, "kind=chat", JSON), 400, "badRequest", "JSON"),
    "nothing": (("POST", EVENTS, "", JSON), 400, "badRequest", "JSON"),
    "invalid UTF-8": (("POST", EVENTS, b'{"kind":"\xff"}', JSON), 400, "badRequest", ""),
    "deep nesting": (("POST", EVENTS, "[" * 60_000, JSON), 400, "badRequest", "deep"),
    "duplicate member": (("POST", EVENTS, '{"kind":"chat","kind":"note"}', JSON), 400, "badRequest", "same name"),
    "NaN": (("POST", EVENTS, '{"kind":"chat","payload":NaN}', JSON), 400, "badRequest", ""),
    "huge": (("POST", EVENTS, "x" * (1 << 20), JSON), 413, "tooLarge", r"\d{5} bytes"),
    "list": (("POST", EVENTS, "[]", JSON), 400, "badPayload", "object"),
    "unknown member": (("POST", EVENTS, '{"kind":"chat","payload":{},"bold":1}', JSON), 400, "badPayload", "bold"),
    "unknown kind": (("POST", EVENTS, '{"kind":"chat.shouted","payload":{}}', JSON), 400, "badPayload", "kind"),
    "wrong payload": (("POST", EVENTS, '{"kind":"chat","payload":{}}', JSON), 400, "badPayload", "text"),
    "unknown incident": (("GET", "/api/v1/incidents/99-999999", "", ""), 404, "notFound", "incident"),
    "incident that is a path": (("GET", "/api/v1/incidents/..%2f..%2fetc", "", ""), 404, "notFound", ""),
    "negative page": (("GET", EVENTS + "?after=-1", "", ""), 400, "badRequest", "after"),
    "page that is no number": (("GET", EVENTS + "?limit=many", "", ""), 400, "badRequest", "limit"),
    "page that is too large": (("GET", EVENTS + "?limit=100000", "", ""), 400, "badRequest", "1000"),
    "wrong method": (("DELETE", EVENTS, "", ""), 405, "methodNotAllowed", "POST"),
    "unknown address": (("GET", "/api/v1/everything", "", ""), 404, "notFound", ""),
    "admins' affairs": (("GET", "/api/v1/accounts", "", ""), 403, "forbidden", ""),
    "unknown priority": (("POST", "/api/v1/incidents", '{"priority":"P0"}', JSON), 400, "badPayload", "P1"),
    "place outside the world": (
        ("POST", "/api/v1/incidents", '{"priority":"P1","place":{"lat":91,"lon":0}}', JSON), 400, "badPayload", "lat"),
}


@pytest.mark.parametrize("kind", list(REQUESTS))
def test_wrong_request_is_explained(scene: Scene, kind: str) -> None:
    (method, path, body, content_type), status, code, words = REQUESTS[kind]
    headers = {"Authorization": f"Bearer {scene.node.key('operator').token}", "Content-Type": content_type}
    request = urllib.request.Request(
        scene.node.base + path.replace("{incident}", scene.incident), method=method, headers=headers,
        data=(body.encode() if isinstance(body, str) else body) if method == "POST" else None)
    with scene.counts("4xx"), pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=ANSWER_SECONDS)
    with refusal.value as answer:
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = json.load(answer)
    assert (answer.code, problem["code"]) == (status, code), problem
    assert len(problem["detail"]) >= 15 and re.search(words, problem["detail"], re.IGNORECASE), problem


def test_wrong_token_is_counted(scene: Scene) -> None:
    request = urllib.request.Request(
        f"{scene.node.base}/api/v1/me", headers={"Authorization": "Bearer sl_this-is-not-one-of-yours"})
    with scene.counts("rejected_tokens"), pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=ANSWER_SECONDS)
    with refusal.value as answer:
        assert answer.code == 401 and json.load(answer)["code"] == "invalidToken"


def test_bystander_has_noticed_nothing(scene: Scene) -> None:
    """The last test of this file: after all that."""
    assert scene.bystander.percentile(SHARE) < MOST_SECONDS
