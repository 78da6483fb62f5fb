/**
 * The first screen of the caller's page. It is small, so that a tap counts early on a thin line; all else comes after it.
 * @module
 */

import { expose, readAccess } from "../shared/access.js";
import { applyTheme } from "../shared/theme.js";
import { languages } from "../languages/phrases.js";
import { openCameraAndMicrophone, openMicrophone } from "./devices.js";
import { language } from "./language.js";
import { recall } from "./memory.js";
import { silence } from "./silence.js";

const element = (id) => document.getElementById(id);
const access = readAccess(location);
/** What opens the devices of each way to begin; the browser's question comes at once, while the rest of the page loads. */
const ways = { video: openCameraAndMicrophone, sound: openMicrophone, text: undefined, location: undefined };
const buttons = { "start-video": "video", "start-sound": "sound", "start-text": "text", "start-location": "location" };
/** What the first screen can do without. */
const laterStyles = ["/assets/shared/chat.css", "/assets/caller/call.css"];
let serviceName = "";
/** What tests may look at, before the rest of the page is there. */
let inside = { view: "start", state: "idle", problem: "", metadata: { state: "waiting", carriers: [] }, messages: [] };

/** @param {keyof typeof ways} way */
async function begin(way) {
  setBusy(true);
  const devices = ways[way]?.();
  // Whoever waits for them hears of a refusal.
  devices?.catch(() => {});
  try {
    await (await rest).start(way, devices);
  } finally {
    setBusy(false);
  }
}

function setBusy(isBusy) {
  for (const id of Object.keys(buttons)) element(id).disabled = isBusy;
  element("start").toggleAttribute("data-busy", isBusy);
  writeStart();
}

function writeStart() {
  const { words } = language;
  if (!words) return;
  if (!silence.isOn) document.title = words.title;
  element("start-title").textContent = serviceName ? words.asks(serviceName) : words.asksUnnamed;
  element("allow").textContent = element("start").hasAttribute("data-busy") ? words.starting : words.allow;
}

async function learnService() {
  try {
    const { name, recorded } = await (await fetch("/api/v1/service")).json();
    serviceName = name ?? "";
    element("is-recorded").hidden = recorded !== true;
    writeStart();
  } catch {
    // The page says "the emergency service" then.
  }
}

/** The whole page; a broken line is tried again until it is there. */
async function loadRest() {
  for (;;) {
    try {
      const [page] = await Promise.all([import("./page.js"), wordsAreThere, ...laterStyles.map(addStyle)]);
      ({ inside } = page);
      return page;
    } catch (error) {
      console.warn("sightline: the page is not complete yet", error);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}

function addStyle(address) {
  const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: address });
  return new Promise((resolve, reject) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", () => {
      link.remove();
      reject(new Error(address));
    });
    document.head.append(link);
  });
}

applyTheme();
const wordsAreThere = language.open();
const rest = loadRest();
for (const source of [language, silence]) source.addEventListener("change", writeStart);
for (const [id, way] of Object.entries(buttons)) element(id).addEventListener("click", () => begin(way));
for (const [code, name] of Object.entries(languages)) element("language").append(new Option(name, code));
for (const option of element("language").options) option.lang = option.value;
element("language").addEventListener("change", ({ target }) => language.choose(target.value));
wordsAreThere.then(() => {
  element("language").value = language.code;
});
for (const id of ["hide-start", "hide-live", "hide-plain"]) element(id).addEventListener("click", () => silence.enter());
learnService();

// What was under way before a reload goes on. A tap from before this script was there counts too: it left the focus behind.
const tapped = buttons[document.activeElement?.matches(":focus-visible") ? "" : document.activeElement?.id];
const way = recall(access.token, "way") ?? tapped;
if (access.token && way in ways) begin(way);
expose(new Proxy({}, { get: (_, name) => inside[name] }));
