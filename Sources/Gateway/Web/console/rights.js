/**
 * What the people of the control room may do, so that nobody is offered what the service would refuse. The service decides.
 * @module
 */

/** @typedef {"open" | "classify" | "progress" | "merge" | "assign" | "chat" | "note" | "triage" | "locate" | "command" | "upload" | "inviteCaller" | "share" | "revokeLink"} Action */

/** Roles whose page this is. */
export const staff = ["operator", "dispatcher", "supervisor", "trainer"];

/** What dispatchers may not do even on their own desk's incidents. */
const notForDispatchers = new Set(["open", "merge", "command", "inviteCaller"]);

/**
 * @param {import("../shared/session.js").Session} session
 * @param {Action} action
 * @param {{isExercise: boolean}} [incident]
 */
export function may(session, action, incident) {
  switch (session.person.role) {
    case "operator":
    case "supervisor": return true;
    case "dispatcher": return !notForDispatchers.has(action);
    case "trainer": return incident === undefined || incident.isExercise;
    default: return false;
  }
}
