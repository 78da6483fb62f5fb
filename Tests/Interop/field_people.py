"""What the tests of the responder's and the guest's pages share: the desk of a running demo, and what a browser hears."""

from collections.abc import Iterator

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from service import Service
from test_metadata_pages import Desk, Pages, look
from waiting import wait_for

UNIT = "ems-1"
THEMES = ("dark", "light", "sunlight")
PHONE = {"width": 360, "height": 740}
SIDEWAYS = {"width": 740, "height": 360}
LAPTOP = {"width": 1440, "height": 900}

#: Keeps every peer connection of a page, so that a test can ask what comes in.
KEEP_CONNECTIONS = """
  window.connections = [];
  const Native = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Native {
    constructor(...options) {
      super(...options);
      window.connections.push(this);
    }
  };
"""
#: Packets of sound by the lines of all connections.
HEARD = """async () => {
  const packets = {};
  for (const [index, connection] of window.connections.entries()) {
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === "inbound-rtp" && entry.kind === "audio") packets[`${index} ${entry.mid}`] = entry.packetsReceived;
    }
  }
  return packets;
}"""


class Field(Desk):
    """The operator of a running demo, whose only responder belongs to the unit `ems-1`."""

    def __init__(self, running: Service) -> None:
        super().__init__(running, running.accounts["operator"].token)

    def address(self, role: str, incident: str = "/demo") -> str:
        return f"{self.base}/field{incident}?token={self.service.accounts[role].token}"

    def assign(self) -> None:
        self.submit("unit.assigned", unit=UNIT, name="Ambulance 1", service="ems")

    def statuses(self) -> list[str]:
        return [event["payload"]["status"] for event in self.events("unit.status")]


def open_live(pages: Pages, url: str, size: dict = PHONE) -> Page:
    """Opens a page and waits for its picture."""
    page = pages.open(url, size)
    page.add_init_script(KEEP_CONNECTIONS)
    page.reload()
    wait_for(lambda: page.evaluate("window.sightline?.state") == "live", "the picture", 20)
    return page


def voices(page: Page) -> int:
    """How many sounds come in now: lines with packets, within a second."""
    before = page.evaluate(HEARD)
    page.wait_for_timeout(1000)
    after = page.evaluate(HEARD)
    return sum(after[line] > before.get(line, 0) for line in after)


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


def in_themes(page: Page) -> Iterator[str]:
    for theme in THEMES:
        page.evaluate(f"document.documentElement.dataset.theme = '{theme}'")
        yield theme


def width(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth")


def clipped(page: Page) -> list[str]:
    """Words of the buttons and tabs that are seen and do not fit."""
    return page.evaluate("""() => [...document.querySelectorAll("button, [role=tab], a, h1")]
      .filter((each) => each.offsetParent && each.clientWidth > 1 && each.scrollWidth > each.clientWidth + 1)
      .map((each) => each.textContent)""")


__all__ = ["Field", "Pages", "look"]
