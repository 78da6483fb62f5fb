/**
 * The roles in words, in the order in which people look for them.
 * @module
 */

/** @type {Record<string, {name: string, words: string}>} */
export const roles = {
  operator: { name: "Operator", words: "Takes calls: makes incidents, sends links, sees and reveals the live video of all incidents of the agency, shares it. Looks back at own calls." },
  dispatcher: { name: "Dispatcher", words: "Works at one desk: sees and serves the incidents that are assigned to the desk." },
  responder: { name: "Responder", words: "Paramedic, police or fire, on one unit: sees the incidents that the unit is on until it stands down, with their name over the picture." },
  supervisor: { name: "Supervisor", words: "Sees all live incidents of the agency (the people there are told), looks back with a reason, asks for exports and approves them, reads the audit." },
  custodian: { name: "Custodian", words: "Keeps evidence: looks back, exports with a second person's approval, holds incidents against deletion, reads the audit. No live video." },
  auditor: { name: "Auditor", words: "Reads everything that was written down, changes nothing. No live video, no recordings." },
  trainer: { name: "Trainer", words: "Runs exercises. Sees exercise incidents only, never real ones." },
  admin: { name: "Admin", words: "Manages accounts, settings and the node's health. Sees nothing of any incident." },
  integration: { name: "Integration", words: "A program, such as computer-aided dispatch: opens incidents and reads interchange documents by a token. Not for people." },
};

/** @param {string} role */
export function roleName(role) {
  return roles[role]?.name ?? role;
}
