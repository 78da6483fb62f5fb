/**
 * Events of the audit journal as sentences.
 * @module
 */

const signIns = {
  signedIn: "Signed in", refused: "A sign-in was refused", lockedOut: "Locked out after failed tries", signedOut: "Signed out",
  locked: "Session locked for resting", unlocked: "Session unlocked",
};
const changes = {
  added: "Account added", suspended: "Account suspended", restored: "Account restored", password: "Password changed",
  token: "Token made", tokenRevoked: "Token revoked", role: "Account changed",
};

/**
 * What happened, without saying who.
 * @param {{kind: string, payload: Record<string, any>}} event
 * @returns {string}
 */
export function auditWords({ kind, payload }) {
  const { detail } = payload;
  switch (kind) {
    case "audit.signIn":
      return signIns[payload.result] ?? payload.result;
    case "audit.account":
      if (payload.change === "secondFactor") return `Second factor ${detail === "off" ? "removed" : "set up"}`;
      return joined(changes[payload.change] ?? payload.change, detail);
    case "audit.settings":
      return joined(`Setting ${payload.setting}`, detail);
    case "audit.access":
      return joined(`Looked at ${payload.what}`, payload.reason);
    default:
      return joined(kind, detail);
  }
}

function joined(text, detail) {
  return detail ? `${text}: ${detail}` : text;
}
