"""What every role may do, in every relation to an incident: the tables that test_permissions.py tries out.

The expectations are written down here, beside DOMAIN's "Roles"; nothing is read from the server's own table.
"""

from dataclasses import dataclass

import service as services

#: Incidents, by how people stand to them. Links lead to "own" only.
#: own: dispatcher's desk and responder's unit are on it; other: nobody is; left: both were and no longer are;
#: exercise: training, nobody is on it.
PLACES = ("own", "other", "left", "exercise")
#: What the words of the matrix mean: in which of the places it is allowed.
WORDS = {
    "any": {"own", "other", "left", "exercise"},
    "own": {"own"},
    "unleft": {"own", "other", "exercise"},
    "drill": {"exercise"},
    "-": set(),
}
STAFF = "operator dispatcher responder supervisor custodian auditor trainer admin integration".split()
BEARERS = "caller guest device".split()
NOBODY = "nobody"
ROLES = (*STAFF, *BEARERS, NOBODY)

MATRIX = """
            operator dispatcher responder supervisor custodian auditor trainer admin integration caller guest device
list        any      own        unleft    any        any       any     drill   -     any         -      -     -
follow      any      own        own       any        any       any     drill   -     -           own    own   -
classify    any      own        -         any        -         -       drill   -     -           -      -     -
progress    any      own        -         any        -         -       drill   -     -           -      -     -
merge       any      -          -         any        -         -       drill   -     -           -      -     -
assign      any      own        -         any        -         -       drill   -     -           -      -     -
join        -        -          unleft    -          -         -       -       -     -           -      -     -
chat        any      own        own       any        -         -       drill   -     -           own    own   -
note        any      own        own       any        -         -       drill   -     -           -      -     -
triage      any      own        own       any        -         -       drill   -     -           -      -     -
locate      any      own        -         any        -         -       drill   -     -           own    -     -
unit        any      own        own       any        -         -       drill   -     -           -      -     -
session     -        -          -         -          -         -       -       -     -           own    -     -
command     any      -          -         any        -         -       drill   -     -           -      -     -
upload      any      own        own       any        -         -       drill   -     -           own    -     -
download    any      own        own       any        any       -       drill   -     -           own    -     -
watch       any      own        own       any        -         -       drill   -     -           own    own   -
look back   any      own        own       any        -         -       drill   -     -           -      -     -
publish     any      -          own       any        -         -       drill   -     -           own    -     own
reveal      any      own        own       any        -         -       drill   -     -           -      -     -
snapshot    any      own        -         any        -         -       drill   -     -           -      -     -
invite      any      -          -         any        -         -       drill   -     -           -      -     -
share       any      own        -         any        -         -       drill   -     -           -      -     -
revoke      any      own        -         any        -         -       drill   -     -           -      -     -
export      any      own        own       any        any       any     drill   -     any         -      -     -
replay      -        -          -         any        any       -       drill   -     -           -      -     -
hold        -        -          -         any        any        -       -       -     -           -      -     -
search      any      any        any       any        any        any     any     -     any         -      -     -
package     -        -          -         any        any       -       -       -     -           -      -     -
open        any      -          -         any        -         -       any     -     any         -      -     -
report      -        -          -         -          -         -       -       -     any         -      -     -
audit       -        -          -         any        any       any     -       -     -           -      -     -
accounts    -        -          -         -          -         -       -       any   -           -      -     -
settings    -        -          -         -          -         -       -       any   -           -      -     -
health      -        -          -         any        -         -       -       any   -           -      -     -
server      -        -          -         -          -         -       -       -     -           -      -     -
train       -        -          -         any        -         -       any     -     -           -      -     -
own affairs any      any        any       any        any       any     any     any   any         -      -     -
somebody    any      any        any       any        any       any     any     any   any         any    any   any
"""


def read_matrix() -> dict[tuple[str, str], set[str]]:
    heading, *lines = MATRIX.strip("\n").splitlines()
    roles = heading.split()
    assert sorted(roles) == sorted([*STAFF, *BEARERS])
    cells = {}
    for line in lines:
        action, words = line[:11].strip(), line[11:].split()
        assert len(words) == len(roles), line
        for role, word in zip(roles, words):
            cells[action, role] = WORDS[word]
    return cells


CELLS = read_matrix()


def is_expected(action: str, role: str, place: str) -> bool:
    if action == "everyone":
        return True
    return role != NOBODY and place in CELLS[action, role]


#: Whose session the media sessions of the test are; nobody else finds them.
OWNER = {"whip": "device", "whep": "guest"}


@dataclass(frozen=True)
class Try:
    """One request of an operation: what it takes to be allowed, and what is sent."""

    action: str
    body: object = None
    content_type: str | None = None
    #: Asked of each incident rather than once.
    is_of_incident: bool = True
    #: Names something that is not there: a 404 says so, and is no refusal.
    is_absent: bool = False


def once(action: str, body: object = None) -> list[Try]:
    return [Try(action, body, is_of_incident=False)]


SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
SENDING, WATCHING, BOTH = (
    (services.ROOT / f"fixtures/sdp/chromium-{name}.sdp").read_text() for name in ("sendonly", "recvonly", "sendrecv"))

#: What each operation takes. Bodies are empty or wrong wherever they may be, so that nothing happens: what is refused for
#: its body has been allowed.
OPERATIONS: dict[str, list[Try]] = {
    "GET /": once("everyone"),
    "GET /call": once("everyone"),
    "GET /call/{incident}": [Try("everyone")],
    "GET /incidents/{incident}": [Try("everyone")],
    "GET /watch": once("everyone"),
    "GET /watch/{incident}": [Try("everyone")],
    "GET /replay": once("everyone"),
    "GET /replay/{incident}": [Try("everyone")],
    "GET /assets/{path}": once("everyone"),
    "GET /favicon.ico": once("everyone"),
    "GET /docs": once("everyone"),
    "GET /healthz": once("everyone"),
    "GET /readyz": once("everyone"),
    "GET /metrics": once("everyone"),
    "GET /api/ice-servers": once("somebody"),
    "GET /api/v1/accounts": once("accounts"),
    "POST /api/v1/accounts": once("accounts", {}),
    "GET /api/v1/accounts/{account}": once("accounts"),
    "PATCH /api/v1/accounts/{account}": once("accounts", {}),
    "GET /api/v1/audit": once("audit"),
    "GET /api/v1/incidents": once("somebody"),
    "POST /api/v1/incidents": once("open", {}),
    "GET /api/v1/incidents/{incident}": [Try("follow")],
    "GET /api/v1/incidents/{incident}/events": [Try("follow")],
    "POST /api/v1/incidents/{incident}/events": [Try("follow", {})],
    "POST /api/v1/incidents/{incident}/files": [Try("upload", b"", "text/plain")],
    "GET /api/v1/incidents/{incident}/files/{file}": [Try("download")],
    "POST /api/v1/incidents/{incident}/join": [Try("join")],
    "POST /api/v1/incidents/{incident}/links": [
        Try("invite", {"role": "caller"}), Try("share", {"role": "guest"}), Try("share", {"role": "device"}),
    ],
    "DELETE /api/v1/incidents/{incident}/links/{link}": [Try("revoke")],
    # Only a browser's session can be locked, and here all come by token.
    "POST /api/v1/lock": once("server"),
    "GET /api/v1/me": once("somebody"),
    "GET /api/v1/people": once("own affairs"),
    "GET /api/v1/service": once("everyone"),
    "GET /api/v1/session": once("everyone"),
    "GET /api/v1/health": once("health"),
    "GET /api/v1/keys": once("settings"),
    "GET /api/v1/settings": once("settings"),
    # A setting that cannot be, so that none is changed.
    "PATCH /api/v1/settings": once("settings", {"callerLinkMinutes": 0}),
    "GET /api/v1/settings/test-message": once("settings"),
    "POST /api/v1/settings/test-message": once("settings", {}),
    "GET /api/v1/me/audit": once("own affairs"),
    "POST /api/v1/me/password": once("own affairs", {}),
    "POST /api/v1/me/second-factor": once("own affairs", {}),
    "POST /api/v1/me/second-factor/confirm": once("own affairs", {}),
    "POST /api/v1/me/second-factor/remove": once("own affairs", {}),
    "GET /api/v1/me/tokens": once("own affairs"),
    "POST /api/v1/me/tokens": once("own affairs", {}),
    "DELETE /api/v1/me/tokens/{token}": once("own affairs"),
    "POST /api/v1/sign-in": once("everyone", {}),
    "POST /api/v1/sign-out": once("everyone"),
    "POST /api/v1/unlock": once("everyone", {}),
    "POST /whip/{incident}": [Try("publish", SENDING, SDP)],
    "POST /whep/{incident}": [Try("watch", WATCHING, SDP)],
    "PATCH /whip/{incident}/{peer}": [Try("owner", "", FRAGMENT)],
    "PATCH /whep/{incident}/{peer}": [Try("owner", "", FRAGMENT)],
    "GET /whip/{incident}/{peer}/slots": [Try("owner")],
    "GET /whep/{incident}/{peer}/slots": [Try("owner")],
    "PUT /whip/{incident}/{peer}/slots/{mid}": [Try("owner", {})],
    "PUT /whep/{incident}/{peer}/slots/{mid}": [Try("owner", {})],
    "DELETE /whip/{incident}/{peer}": [Try("owner")],
    "DELETE /whep/{incident}/{peer}": [Try("owner")],
    # Interchange
    "GET /EIDO/{incident}": [Try("export")],
    "GET /api/v1/incidents/{incident}/location.pidf": [Try("export")],
    "GET /api/v1/incidents/{incident}/cap.xml": [Try("export")],
    "GET /api/v1/incidents/{incident}/cot.xml": [Try("export")],
    # Feeds show everybody what they may export: an empty one to those who may export nothing.
    "GET /api/v1/feeds/cap": once("somebody"),
    "GET /api/v1/feeds/cot": once("somebody"),
    "POST /api/v1/aml": once("report", {}),
    "POST /api/v1/aml/sms": once("report", {}),
    # The provider shows that it is the provider by the secret in the address, which is not known here.
    "GET /api/v1/sms/receipts/{secret}": once("server"),
    "POST /api/v1/sms/receipts/{secret}": once("server", {}),
    # The archive: recordings
    "POST /api/v1/incidents/{incident}/snapshots": [Try("snapshot", {"source": "none"})],
    "PUT /api/v1/incidents/{incident}/late/{upload}": [Try("publish", b"", "video/webm")],
    "GET /api/v1/incidents/{incident}/still": [Try("look back")],
    # Figures and exercises
    "GET /api/v1/figures": once("health"),
    "GET /api/v1/exercises": once("train"),
    "POST /api/v1/exercises": once("train", {}),
    "DELETE /api/v1/exercises/{exercise}": [Try("train", is_of_incident=False, is_absent=True)],
    # The archive: replay. A look is asked for before its reason is; what a look shows takes what the look took.
    "POST /api/v1/incidents/{incident}/replays": [Try("replay", {"reason": ""}), Try("look back", {"live": True})],
    "GET /api/v1/incidents/{incident}/replays/{replay}/playlist.json": [Try("replay")],
    "GET /api/v1/incidents/{incident}/replays/{replay}/timeline.json": [Try("replay")],
    "GET /api/v1/incidents/{incident}/replays/{replay}/timeline.vtt": [Try("replay")],
    "POST /api/v1/incidents/{incident}/replays/{replay}/reveal": [Try("replay", {"on": True})],
    "GET /api/v1/incidents/{incident}/replays/{replay}/seal": [Try("replay")],
    "GET /api/v1/incidents/{incident}/replays/{replay}/media/{segment}": [Try("replay")],
    "GET /api/v1/incidents/{incident}/replays/{replay}/stills/{still}": [Try("replay")],
    "GET /api/v1/incidents/{incident}/replays/{replay}/late/{upload}": [Try("replay")],
    "GET /api/v1/incidents/{incident}/replays/{replay}/hls/{playlist}": [Try("replay")],
    "GET /api/v1/incidents/{incident}/replays/{replay}/thumbnails/{track}": [Try("replay")],
    # The archive: search. Everybody who may know of incidents may look; test_archive_search.py says what each of them finds.
    "GET /api/v1/archive": once("search"),
    "GET /archive": once("everyone"),
    **{
        f"GET {page}": once("everyone")
        for page in (
            "/sign-in", "/account", "/console", "/console/{incident}", "/field", "/field/{incident}", "/wall",
            "/dashboard", "/audit", "/exercise", "/admin",
        )
    },
    # The archive: retention
    "GET /api/v1/retention": once("settings"),
    # A class that there is not, so that no policy is set.
    "PUT /api/v1/retention": once("settings", {"nothing": 1}),
    "GET /api/v1/retention/preview": once("settings"),
    "POST /api/v1/retention/sweep": once("settings"),
    "POST /api/v1/incidents/{incident}/hold": [Try("hold", {})],
    # The archive: export
    "GET /api/v1/incidents/{incident}/exports": [Try("package")],
    "POST /api/v1/incidents/{incident}/exports": [Try("package", {})],
    "GET /api/v1/incidents/{incident}/exports/{export}": [Try("package")],
    "DELETE /api/v1/incidents/{incident}/exports/{export}": [Try("package")],
    "POST /api/v1/incidents/{incident}/exports/{export}/decision": [Try("package", {})],
    "GET /api/v1/incidents/{incident}/exports/{export}/package": [Try("package")],
    # Other systems
    "GET /api/v1/webhooks": once("settings"),
    "POST /api/v1/webhooks": once("settings", {}),
    "DELETE /api/v1/webhooks/{webhook}": [Try("settings", is_of_incident=False, is_absent=True)],
    "GET /api/v1/webhooks/dead-letters": once("settings"),
    "POST /api/v1/webhooks/dead-letters/retry": once("settings", {}),
    "POST /api/v1/webhooks/dead-letters/drop": once("settings", {}),
    # Outside the document: what WHIP and WHEP take, the documents themselves, and the WebSockets, which ask for a token
    # once they are open.
    "GET /openapi.json": once("everyone"),
    "GET /asyncapi.json": once("everyone"),
    "GET /ws": once("everyone"),
    "GET /EIDO": once("everyone"),
    "OPTIONS /whip/{incident}": [Try("everyone")],
    "OPTIONS /whep/{incident}": [Try("everyone")],
    "OPTIONS /whip/{incident}/{peer}": [Try("everyone")],
    "OPTIONS /whep/{incident}/{peer}": [Try("everyone")],
}
OUTSIDE = {operation for operation in OPERATIONS if operation.startswith("OPTIONS ")}
OUTSIDE |= {"GET /openapi.json", "GET /asyncapi.json", "GET /ws", "GET /EIDO"}

#: What each kind of message takes, and whether it is kept.
KINDS: dict[str, tuple[str, str]] = {
    "incident.opened": ("server", "durable"),
    "incident.state": ("progress", "durable"),
    "incident.classified": ("classify", "durable"),
    "incident.mergeSuggested": ("server", "durable"),
    "incident.merged": ("merge", "durable"),
    "incident.absorbed": ("server", "durable"),
    "assignment.added": ("assign", "durable"),
    "assignment.removed": ("assign", "durable"),
    "unit.assigned": ("assign", "durable"),
    "unit.status": ("unit", "durable"),
    "unit.location": ("unit", "durable"),
    "unit.stoodDown": ("assign", "durable"),
    "presence": ("server", "ephemeral"),
    "speaking": ("chat", "ephemeral"),
    "typing": ("chat", "ephemeral"),
    "caller.added": ("server", "durable"),
    "caller.stage": ("session", "durable"),
    "caller.device": ("session", "ephemeral"),
    "location": ("locate", "durable"),
    "command": ("command", "durable"),
    "command.result": ("session", "durable"),
    "link.created": ("server", "durable"),
    "link.sent": ("server", "durable"),
    "link.delivery": ("server", "durable"),
    "link.revoked": ("server", "durable"),
    "chat": ("chat", "durable"),
    "chat.delivered": ("chat", "durable"),
    "chat.read": ("chat", "durable"),
    "text.live": ("chat", "ephemeral"),
    "note": ("note", "durable"),
    "triage": ("triage", "durable"),
    "file.added": ("server", "durable"),
    "file.rejected": ("server", "durable"),
    "snapshot.taken": ("snapshot", "durable"),
    "media.source": ("server", "durable"),
    "media.watching": ("server", "durable"),
    "media.revealed": ("reveal", "durable"),
    "media.view": ("server", "durable"),
    "media.recording": ("server", "durable"),
    "replay.opened": ("server", "durable"),
    "export.requested": ("server", "durable"),
    "export.decided": ("server", "durable"),
    "export.finished": ("server", "durable"),
    "retention.hold": ("server", "durable"),
    "retention.deleted": ("server", "durable"),
    "audit.account": ("server", "durable"),
    "audit.signIn": ("server", "durable"),
    "audit.settings": ("server", "durable"),
    "audit.access": ("server", "durable"),
}
#: Requests that are no events.
REQUESTS = {"subscribe": "follow", "unsubscribe": "somebody", "list": "somebody"}
