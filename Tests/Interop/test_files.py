"""Files of an incident: who may see them, what is taken, what the scanner says, and that they outlive the process."""

import hashlib
import pathlib
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import journal
from api import Answer, Api
from node import Key, Node

MIB = 1 << 20
MOST = 25 * MIB
#: Not a picture that anybody could see, but one by its type.
PHOTO = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40 + b"\xff\xd9"
#: What the scanner of the tests takes for infected, and what makes it fail.
VIRUS, TROUBLE = b"X5O!P%@AP", b"scanner trouble"
SCANNER = f"""#!/bin/sh
grep -q '{VIRUS.decode()}' "$1" && exit 1
grep -q '{TROUBLE.decode()}' "$1" && exit 2
exit 0
"""


@dataclass
class Scene:
    """An incident with a caller, a guest and staff, each with their own connection."""

    node: Node
    incident: str
    caller: Api
    guest: Api
    operator: Api

    def upload(
        self, person: Api, content: bytes = PHOTO, type: str | None = "image/jpeg", query: str = "name=street.jpg"
    ) -> Answer:
        path = f"/api/v1/incidents/{self.incident}/files?{query}"
        return person.ask("POST", path, content, content_type=type)

    def keep(self, person: Api, *arguments: object, **options: object) -> str:
        """Uploads what has to be taken; the file's id."""
        answer = self.upload(person, *arguments, **options)
        assert answer.status == 201, (answer.status, answer.body)
        return answer.json["file"]

    def download(self, person: Api, file: str) -> Answer:
        return person.ask("GET", f"/api/v1/incidents/{self.incident}/files/{file}")

    def told(self, person: Api, kind: str) -> list[dict]:
        return [each["payload"] for each in journal.read(person, self.incident) if each["kind"] == kind]


def scene_on(node: Node) -> Scene:
    incident = node.open_incident()
    caller, guest = (as_bearer(node, node.make_link(incident, role, role)) for role in ("caller", "guest"))
    return Scene(node, incident, caller, guest, Api(node.base, node.accounts["operator"]["token"]))


def as_bearer(node: Node, key: Key) -> Api:
    return Api(node.base, key.token)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    with Node(tmp_path_factory.mktemp("files")) as node:
        yield node


@pytest.fixture(scope="module")
def scanning_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    data = tmp_path_factory.mktemp("scanned")
    scanner = data / "scan.sh"
    scanner.write_text(SCANNER)
    scanner.chmod(0o755)
    with Node(data, ("--scan-command", str(scanner))) as node:
        yield node


@pytest.fixture
def scene(node: Node) -> Scene:
    return scene_on(node)


@pytest.fixture
def scanned(scanning_node: Node) -> Scene:
    return scene_on(scanning_node)


def kept_files(node: Node) -> set[pathlib.Path]:
    """All that looks like kept content: what is named after its own SHA-256."""
    return {
        path for path in node.data.rglob("*")
        if path.is_file() and path.name == hashlib.sha256(path.read_bytes()).hexdigest()}


# Who sees what


def test_photo_of_the_caller_comes_back_as_it_was(scene: Scene) -> None:
    file = scene.keep(scene.caller, query="name=%C3%9Cbung%20%3C1%3E.jpg&purpose=photo")
    told, = scene.told(scene.operator, "file.added")
    digest = hashlib.sha256(PHOTO).hexdigest()
    assert told == {
        "file": file, "name": "Übung <1>.jpg", "type": "image/jpeg", "size": len(PHOTO), "sha256": digest,
        "purpose": "photo", "visibility": "everyone", "scan": "unscanned"}
    for person in (scene.caller, scene.operator):
        answer = scene.download(person, file)
        assert answer.status == 200 and hashlib.sha256(answer.body).hexdigest() == digest


def test_browser_runs_nothing_of_a_file(scene: Scene) -> None:
    file = scene.keep(scene.operator, b"<script>alert(1)</script>", "text/plain", "name=%22%0D%0Ax%3A%20y.html")
    headers = scene.download(scene.caller, file).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Type"] == "text/plain"
    assert headers["Content-Disposition"] == f'attachment; filename="{file}"', "nothing of the sender's own name"
    assert "no-store" in headers["Cache-Control"]


def test_file_is_sandboxed(scene: Scene) -> None:
    policy = scene.download(scene.caller, scene.keep(scene.operator)).headers["Content-Security-Policy"]
    assert "sandbox" in [part.strip() for part in policy.split(";")]


def test_caller_learns_nothing_of_files_for_staff(scene: Scene) -> None:
    file = scene.keep(scene.operator, query="name=report.jpg&visibility=team")
    shown = scene.keep(scene.operator, PHOTO + b"2")
    assert scene.download(scene.operator, file).body == PHOTO
    assert scene.download(scene.caller, file).status == 404
    assert [told["file"] for told in scene.told(scene.caller, "file.added")] == [shown]
    snapshot = scene.caller.ask("GET", f"/api/v1/incidents/{scene.incident}").body.decode()
    assert shown in snapshot and file not in snapshot and "report.jpg" not in snapshot


def test_caller_cannot_put_a_file_where_only_staff_look(scene: Scene) -> None:
    assert scene.upload(scene.caller, query="name=a.jpg&visibility=team").status == 403
    assert not scene.told(scene.operator, "file.added")


def test_file_is_not_there_for_others(scene: Scene, node: Node) -> None:
    file = scene.keep(scene.operator)
    other = scene_on(node)
    assert scene.download(other.caller, file).status in (403, 404), "a caller of another incident"
    assert other.download(other.operator, file).status == 404, "under another incident's address"
    assert scene.download(scene.guest, file).status == 403, "guests download nothing"
    assert scene.upload(scene.guest).status == 403
    assert scene.download(Api(node.base), file).status == 401
    for name in ("..%2F..%2Fsightline.sqlite", hashlib.sha256(PHOTO).hexdigest(), "f-0000000000000000"):
        assert scene.download(scene.operator, name).status == 404, name


# What is taken


def test_largest_file_is_taken_and_one_byte_more_is_not(scene: Scene) -> None:
    content = bytes(MOST)
    assert scene.download(scene.operator, scene.keep(scene.operator, content)).body == content
    for size in (MOST + 1, 26 * MIB):
        answer = scene.upload(Api(scene.node.base, scene.node.accounts["operator"]["token"]), bytes(size))
        assert answer.status == 413, size
    assert len(scene.told(scene.operator, "file.added")) == 1


@pytest.mark.parametrize("type", ["text/html", "image/svg+xml", "application/javascript", "application/octet-stream", None])
def test_what_a_browser_might_run_is_refused_and_told(scene: Scene, type: str | None) -> None:
    answer = scene.upload(scene.caller, b"<script>alert(1)</script>", type)
    assert (answer.status, answer.code) == (400, "badPayload") and "image/jpeg" in answer.json["detail"]
    assert scene.told(scene.operator, "file.rejected") == [{"name": "street.jpg", "reason": "unsupportedType"}]
    assert not scene.told(scene.operator, "file.added")


@pytest.mark.parametrize(
    ("content", "query"), [(b"", "name=a.jpg"), (PHOTO, "name=a.jpg&purpose=virus"), (PHOTO, "name=a.jpg&visibility=nobody"),
                           (PHOTO, "name=" + "x" * 201), (PHOTO, "name=")],
    ids=["empty", "unknown purpose", "unknown visibility", "name too long", "no name"])
def test_what_makes_no_sense_is_refused(scene: Scene, content: bytes, query: str) -> None:
    answer = scene.upload(scene.caller, content, query=query)
    assert answer.status == 400 and answer.json["detail"], answer.body
    assert not scene.told(scene.operator, "file.added")


# The scanner


def test_clean_file_says_so(scanned: Scene) -> None:
    scanned.keep(scanned.caller)
    assert [told["scan"] for told in scanned.told(scanned.operator, "file.added")] == ["clean"]


@pytest.mark.parametrize(
    ("content", "status", "reason"), [(VIRUS, 400, "infected"), (TROUBLE, 503, "scannerFailed")],
    ids=["infected", "scanner failed"])
def test_what_the_scanner_does_not_pass_is_not_kept(scanned: Scene, content: bytes, status: int, reason: str) -> None:
    before = kept_files(scanned.node)
    answer = scanned.upload(scanned.caller, PHOTO + content)
    assert answer.status == status and "scanner" in answer.json["detail"], answer.body
    assert scanned.told(scanned.operator, "file.rejected") == [{"name": "street.jpg", "reason": reason}]
    assert not scanned.told(scanned.operator, "file.added")
    assert kept_files(scanned.node) == before
    assert not [path for path in scanned.node.data.rglob("*") if path.is_file() and content in path.read_bytes()
                and path.name != "scan.sh"], "no copy is left behind"


# After the end


def test_kept_files_outlive_the_process(tmp_path: pathlib.Path) -> None:
    with Node(tmp_path) as node:
        scene = scene_on(node)
        contents = [PHOTO + bytes([number]) for number in range(10)]
        files = [scene.keep(scene.caller, content) for content in contents]
        node.kill()
        assert {path.name for path in kept_files(node)} == {hashlib.sha256(content).hexdigest() for content in contents}
        node.start()
        operator = Api(node.base, node.accounts["operator"]["token"])
        assert [scene.download(operator, file).body for file in files] == contents
        assert [told["file"] for told in scene.told(operator, "file.added")] == files


def test_file_that_was_changed_on_disk_is_not_given_out(tmp_path: pathlib.Path) -> None:
    with Node(tmp_path) as node:
        scene = scene_on(node)
        file = scene.keep(scene.caller)
        path, = kept_files(node)
        path.chmod(0o644)
        path.write_bytes(PHOTO[:-1] + b"\x00")
        answer = scene.download(scene.operator, file)
        assert answer.status == 503 and PHOTO[:64] not in answer.body
