/**
 * How supervisors read what the service calls stages, reasons and states.
 * @module
 */

/** Where a caller's session stands. @type {Record<string, string>} */
export const stages = {
  requested: "link wanted", linkSent: "link sent", opened: "link opened", locationOK: "location shared",
  cameraOK: "camera allowed", connecting: "connecting", live: "live", paused: "paused", ended: "call ended",
  declined: "declined", expired: "link expired", failed: "failed",
};

/** Why a session came to no picture. @type {Record<string, string>} */
export const reasons = {
  linkNotReceived: "link not received", noSmartphone: "no smartphone", noData: "no mobile data",
  permissionDenied: "camera not allowed", browserUnsupported: "browser cannot", connectionFailed: "no connection",
  refusedCaller: "caller did not want to", refusedPatient: "patient did not want to", crewArrived: "crew was there first",
  declined: "declined", expired: "link expired", failed: "failed", ended: "ended before the picture",
  incidentOver: "incident was over",
};

/** @type {Record<string, string>} */
export const states = {
  new: "new", queued: "waiting", active: "in work", monitored: "monitored", reopened: "reopened", ended: "ended",
  merged: "merged", cancelled: "cancelled",
};

/** "1 caller", "3 callers". @param {number} count @param {string} one @param {string} [many] */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}
