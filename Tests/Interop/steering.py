"""Makes a browser's media take the way that a test wants, by rewriting the candidates that the service answers with."""

import re
from collections.abc import Callable

from playwright.sync_api import Route

from browser import ChromiumPage
from impairment import LOOPBACK, ImpairedLink

CANDIDATE = re.compile(r"^a=candidate:(?P<value>.*)$", re.MULTILINE)
#: Keeps every connection that the page makes, since the pages keep them to themselves.
KEEP_CONNECTIONS = """
window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...options) { super(...options); window.connections.push(this); }
};
"""
#: Notes when the page asked for ICE restarts and negotiations, on the wall clock.
NOTE_REQUESTS = """
window.requests = [];
const send = window.fetch;
window.fetch = (url, options = {}) => {
  const at = performance.timeOrigin + performance.now();
  window.requests.push({ at, method: options.method ?? "GET", url: String(url), condition: options.headers?.["If-Match"] });
  return send(url, options);
};
"""

Rewrite = Callable[[str], str]


def candidates(description: str) -> list[list[str]]:
    """The fields of each `a=candidate` line: foundation, component, transport, priority, address, port, `typ`, …"""
    return [found["value"].split() for found in CANDIDATE.finditer(description)]


def media_address(description: str, transport: str = "udp") -> tuple[str, int]:
    """The service's own address on loopback."""
    found = [each for each in candidates(description) if each[2].lower() == transport and each[4] == LOOPBACK]
    assert found, f"the service offers no {transport} candidate on {LOOPBACK}:\n{description}"
    return found[0][4], int(found[0][5])


def keep_candidates(is_wanted: Callable[[list[str]], bool]) -> Rewrite:
    """Drops all candidates but the wanted ones."""

    def rewrite(text: str) -> str:
        lines = text.split("\r\n")
        kept = [line for line in lines if not CANDIDATE.match(line) or is_wanted(line.split(":", 1)[1].split())]
        return "\r\n".join(kept)

    return rewrite


def through(link: ImpairedLink) -> Rewrite:
    """Puts the link's port in the place of all candidates, and tells the link whither it leads."""

    def rewrite(text: str) -> str:
        link.server = media_address(text)
        only = f"a=candidate:1 1 udp 2130706431 {LOOPBACK} {link.port} typ host"
        lines = text.split("\r\n")
        first = next(place for place, line in enumerate(lines) if CANDIDATE.match(line))
        lines[first] = only
        return "\r\n".join(line for line in lines if line is only or not CANDIDATE.match(line))

    return rewrite


class Steering:
    """How one page is steered; `rewrite` may be changed at any time and holds for the answers from then on."""

    def __init__(self, rewrite: Rewrite) -> None:
        self.rewrite = rewrite
        self.answers: list[str] = []

    def handle(self, route: Route) -> None:
        response = route.fetch()
        body = response.text()
        if CANDIDATE.search(body):
            body = self.rewrite(body)
            self.answers.append(body)
        route.fulfill(response=response, body=body)


def open_steered(open_page: Callable[..., ChromiumPage], url: str, rewrite: Rewrite, **options: object) -> ChromiumPage:
    """Opens a page whose answers are rewritten; `page.steering` changes that later."""
    page = open_page("about:blank", **options)
    page.steering = Steering(rewrite)
    page.page.add_init_script(KEEP_CONNECTIONS + NOTE_REQUESTS)
    for endpoint in ("**/whip/**", "**/whep/**"):
        page.page.route(endpoint, page.steering.handle)
    page.page.goto(url)
    return page


STATISTICS = """async () => {
  const report = [...(await window.connections.at(-1).getStats()).values()];
  const find = (id) => report.find((entry) => entry.id === id);
  // After a restart the old pair still counts as nominated for a while: only the transport knows which one is in use.
  const pair = find(report.find((entry) => entry.type === "transport")?.selectedCandidatePairId);
  return {
    streams: report.filter((entry) => entry.type === "inbound-rtp" || entry.type === "outbound-rtp"),
    local: find(pair?.localCandidateId), remote: find(pair?.remoteCandidateId),
  };
}"""


def statistics(page: ChromiumPage) -> dict:
    """`streams` as WebRTC counts them, and the `local` and `remote` candidate of the pair in use."""
    return page.evaluate(STATISTICS)


def video(page: ChromiumPage) -> dict:
    """The busiest video stream's statistics."""
    streams = [stream for stream in statistics(page)["streams"] if stream["kind"] == "video"]
    return max(streams, key=lambda stream: stream.get("framesDecoded", stream.get("framesEncoded", 0)))
