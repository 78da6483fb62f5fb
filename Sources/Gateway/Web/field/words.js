/**
 * Words and addresses of the responder's page.
 * @module
 */

/** Where the list and an incident are. */
export const addresses = {
  /** @param {import("../shared/session.js").Session} session */
  list: (session) => {
    const address = session.address("/field");
    return `${address}${address.includes("?") ? "&" : "?"}list=1`;
  },
  /** @param {import("../shared/session.js").Session} session @param {string} id */
  incident: (session, id) => session.address(`/field/${encodeURIComponent(id)}`),
};

export const picture = {
  connecting: (seconds) => `Connecting, ${Math.floor(seconds)} s`,
  reconnecting: (seconds) => `Reconnecting, ${Math.floor(seconds)} s. Keep this page open.`,
  waiting: "Waiting for a picture",
  nobody: "No caller is connected right now",
  callerReconnecting: "The caller is reconnecting",
  still: (seconds) => `No new picture for ${Math.floor(seconds)} s`,
  soundOnly: "Sound only",
  live: (name) => (name ? `Live from ${name}` : "Live"),
  reveal: "Reveal the picture",
  hide: "Hide",
  noPermission: "The camera was not allowed. Allow it beside the page's address, then try again.",
};

export const talk = {
  hold: "Hold to talk",
  talking: "You are talking",
  lock: "Keep on",
  unlock: "Stop",
  speaks: (names) => `${names.join(" and ")} ${names.length > 1 ? "talk" : "talks"}`,
  noPermission: "The microphone was not allowed. Allow it beside the page's address, then try again.",
  notNow: "Not connected: nobody would hear you.",
};

export const position = {
  off: "Your position is not shared",
  waiting: "Looking for your position",
  shared: "Your position is shared",
  ownOnly: "Your position is shown on this device only: your unit is not on this incident",
  refused: "Your position was not allowed. Allow it beside the page's address.",
  failed: "Your position cannot be found right now",
  start: "Share my position",
  stop: "Stop sharing",
};

export const status = {
  buttons: {
    acknowledged: "Acknowledge", enroute: "En route", onscene: "On scene", transporting: "To hospital",
    atHospital: "At hospital", available: "Available",
  },
  said: (words) => `Your unit is ${words}`,
  leaving: "Available: you leave this incident in 5 s",
  undo: "Undo",
  notOnIt: "You follow this incident. Your unit is not on it, so it has no status here.",
  noUnit: "Your account belongs to no unit, so it has no status here.",
};

/** Why one is here no longer: a heading and a sentence. */
export const farewells = {
  stoodDown: ["Stood down", "Your unit is released from this incident. Picture, sound and position have ended."],
  available: ["Available", "You have left this incident. Picture, sound and position have ended."],
  over: ["This incident is over", "Picture, sound and position have ended."],
  lost: ["You no longer belong to this incident", "Ask the control room if you need it."],
  merged: (id) => ["This incident goes on as another", `It became part of ${id}.`],
  /** @param {string} text of the service */
  refused: (text) => ["This incident cannot be opened", text],
};
