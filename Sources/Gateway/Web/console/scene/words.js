/**
 * What the operator's scene says.
 * @module
 */

import { clock } from "../../shared/times.js";

/** Where the picture stands. */
export const picture = {
  // The number counts up.
  connecting: (seconds) => `Connecting, ${Math.floor(seconds)} s`,
  // We have lost the service.
  reconnecting: "Reconnecting, keep this page open",
  nobody: "Waiting for the caller",
  linkSent: "Waiting for the caller: the link is sent",
  opened: "Waiting for the caller: the link is open",
  allowing: "Waiting for the caller: they allow the camera",
  callerConnecting: "The caller is connecting",
  declined: "The caller declined the video",
  expired: "The link has run out. Send a new one.",
  failed: "The caller's video failed",
  left: "The caller has ended the video",
  // The service is there; the caller's own connection is gone for the moment.
  callerReconnecting: "The caller is reconnecting",
  waiting: "Connected, waiting for the first picture",
  noPicture: (seconds) => `No new picture for ${Math.floor(seconds)} s`,
  soundOnly: "Sound only, no picture",
  live: "Live",
  over: "This incident is over",
  // {number}: the incident that this one became part of.
  merged: (number) => `This incident goes on as ${number}. Open it there.`,
  lost: "You no longer belong to this incident.",
  hidden: (isLive) => (isLive ? "Picture hidden. Press R to reveal it." : ""),
};

/** Links of the picture's controls: what a button says when it is off and on. */
export const looks = {
  reveal: ["Reveal", "Hide"],
  sound: ["Turn sound on", "Turn sound off"],
  // The browser plays no sound before somebody has clicked.
  blocked: "Click for sound",
  // The number counts up.
  frameAge: (seconds) => `last frame ${Math.floor(seconds)} s ago`,
  stillAge: (seconds) => `Still, ${Math.floor(seconds)} s old`,
  behind: (seconds) => `${clock(seconds)} behind`,
};

/** Whose a picture is. */
export const parts = { caller: "caller", field: "unit", control: "colleague", onlooker: "guest" };

/** What a small picture says of its stream. */
export const sourceStates = { live: "live", stalled: "stands still", waiting: "no picture yet" };

/** What came of a command. */
export const answers = {
  asked: "asked",
  shown: "shown",
  done: "done",
  refused: "refused",
  unsupported: "not possible",
  failed: "failed",
};

/** @param {{status?: string, detail?: string}} command */
export function answerWords({ status = "asked", detail }) {
  const word = answers[status] ?? status;
  // The detail of a photo is its file's name, which says nothing to people.
  return detail && !["done", "shown"].includes(status) ? `${word}: ${detail}` : word;
}
