/**
 * Where the large picture stands, from what the line, the service and the journal say.
 * @module
 */

import { picture as words } from "./words.js";

/**
 * @typedef {{kind: "waiting" | "live" | "stale" | "ended", text: string}} PictureState
 *
 * @typedef {object} SceneFacts
 * @property {string} [farewell] why nothing comes any more
 * @property {import("../../shared/live.js").LivePeer} [live]
 * @property {import("../../shared/events.js").IncidentEvents} events
 * @property {import("../../shared/incident.js").IncidentModel} model
 * @property {boolean} hadCaller whether there has been a picture
 */

/**
 * @param {SceneFacts} facts
 * @returns {PictureState}
 */
export function pictureState({ farewell, live, events, model, hadCaller }) {
  if (farewell) return { kind: "ended", text: farewell };
  if (model.isClosed) return { kind: "ended", text: model.mergedInto ? words.merged(model.mergedInto) : words.over };
  switch (live?.state) {
    case undefined:
    case "idle":
    case "connecting": return { kind: "waiting", text: words.connecting(secondsSince(live?.since)) };
    case "reconnecting": return { kind: "stale", text: words.reconnecting };
    case "failed": return { kind: "ended", text: live.error?.message ?? words.lost };
    case "closed": return { kind: "ended", text: words.left };
  }
  const slot = live.slots[0];
  const { source, peer } = live.whoIsOn(slot);
  if (!source) return whyNobody(events, model, hadCaller);
  if (slot.state === "live") return { kind: "live", text: words.live };
  if (peer?.state === "interrupted") return { kind: "stale", text: words.callerReconnecting };
  // Sound comes first as a rule: it is all there is only when no picture is on its way.
  const isSoundOnly = slot.state === "soundOnly" && (source.kind === "audio" || source.state === "stalled");
  if (isSoundOnly) return { kind: "live", text: words.soundOnly };
  const seconds = slot.secondsWithoutFrame;
  return seconds === undefined ? { kind: "waiting", text: words.waiting } : { kind: "stale", text: words.noPicture(seconds) };
}

/** Nobody sends: the caller's stage says how far it has come. */
function whyNobody(events, model, hadCaller) {
  if (events.callers.some((peer) => peer.state === "interrupted")) return { kind: "stale", text: words.callerReconnecting };
  switch (model.headline?.stage) {
    case "linkSent": return { kind: "waiting", text: words.linkSent };
    case "opened": return { kind: "waiting", text: words.opened };
    case "locationOK":
    case "cameraOK": return { kind: "waiting", text: words.allowing };
    case "connecting": return { kind: "waiting", text: words.callerConnecting };
    case "declined": return { kind: "ended", text: words.declined };
    case "expired": return { kind: "ended", text: words.expired };
    case "failed": return { kind: "ended", text: words.failed };
    case "ended": return { kind: "ended", text: words.left };
    default: return hadCaller ? { kind: "ended", text: words.left } : { kind: "waiting", text: words.nobody };
  }
}

function secondsSince(moment) {
  return moment === undefined ? 0 : (performance.now() - moment) / 1000;
}
