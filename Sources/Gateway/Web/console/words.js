/**
 * What this page says of states, stages and reasons.
 * @module
 */

/** States of an incident. */
export const states = {
  new: "waiting", queued: "waiting", active: "in work", monitored: "being watched", ended: "ended", reopened: "open again",
  merged: "merged", cancelled: "cancelled",
};

/** How an incident ends. */
export const outcomes = {
  handled: "Handled", attached: "Part of another incident", callerAdvised: "Caller was advised", noEmergency: "No emergency",
  hoax: "Hoax", accidental: "Called by accident", abandoned: "Abandoned: nobody there",
};

/** Where a caller's link stands, short. */
export const stages = {
  requested: "link made", linkSent: "link sent", opened: "opened", locationOK: "location given", cameraOK: "camera allowed",
  connecting: "connecting", live: "live", paused: "in the background", ended: "video ended", declined: "declined",
  expired: "link expired", failed: "failed",
};

/** Why it did not work. */
export const failures = {
  linkNotReceived: "the link did not arrive", noSmartphone: "no smartphone", noData: "no mobile data",
  permissionDenied: "camera not allowed", browserUnsupported: "browser too old", connectionFailed: "no connection for video",
  refusedCaller: "caller does not want to", refusedPatient: "patient does not want to", crewArrived: "crew is there",
};

/** Roles as one says them. */
export const roles = {
  caller: "caller", operator: "operator", dispatcher: "dispatcher", responder: "responder", guest: "guest",
  supervisor: "supervisor", trainer: "trainer", device: "camera", system: "service", integration: "other system",
  custodian: "custodian", auditor: "auditor", admin: "administrator",
};

/** Where a unit stands. */
export const unitStates = {
  assigned: "sent", acknowledged: "acknowledged", enroute: "on the way", onscene: "on scene", transporting: "transporting",
  atHospital: "at hospital", available: "available",
};

/** What staff ask of a caller's page. */
export const commands = {
  switchCamera: "switch camera", torch: "torch", quality: "picture quality", stillPhoto: "take a photo", mute: "microphone",
  guidance: "guidance", showFile: "show a picture", shareScreen: "share the screen", requestLocation: "location again", stop: "stop the video",
};

/** What may have happened, to choose from; anything else can be typed. */
export const incidentTypes = [
  "Cardiac arrest", "Unconscious person", "Breathing difficulty", "Chest pain", "Stroke", "Severe bleeding", "Fall", "Childbirth",
  "Traffic accident", "Fire", "Smoke", "Gas", "Drowning", "Violence", "Missing person", "Technical rescue", "Other",
];
