/**
 * Entries of the audit journal, and those of an incident's journal that concern who looked and who let whom, in words.
 * @module
 */

/** Kinds as people read them. @type {Record<string, string>} */
export const kinds = {
  "audit.signIn": "Sign-ins", "audit.account": "Accounts", "audit.settings": "Settings", "audit.access": "Looks at evidence",
};

/** What an incident's own journal has to say about who saw it and who changed rights. @type {Record<string, string>} */
export const incidentKinds = {
  "incident.opened": "Opened", "incident.state": "State", "incident.merged": "Merged", "assignment.added": "Assigned",
  "assignment.removed": "Unassigned", "unit.assigned": "Unit assigned", "unit.stoodDown": "Unit stood down",
  "link.created": "Link made", "link.sent": "Link sent", "link.revoked": "Link withdrawn", "media.watching": "Watching",
  "media.revealed": "Revealed", "media.view": "Picture reduced", "snapshot.taken": "Snapshot", "replay.opened": "Replay",
  "export.requested": "Export wanted",
  "export.decided": "Export decided", "export.finished": "Export finished", "retention.hold": "Legal hold",
  "retention.deleted": "Deleted by rule", "file.added": "File added", "file.rejected": "File refused",
};

const signIns = {
  signedIn: "signed in", refused: "was refused", lockedOut: "was locked out", signedOut: "signed out",
  locked: "was locked for resting", unlocked: "unlocked",
};
const accounts = {
  added: "account added", role: "role changed", suspended: "account suspended", restored: "account restored",
  password: "password changed", secondFactor: "second factor changed", token: "token made", tokenRevoked: "token withdrawn",
};

/**
 * What happened, and why or from where.
 * @param {{kind: string, payload: Record<string, any>}} entry
 * @returns {{what: string, why: string, incident: string}}
 */
export function describe({ kind, payload, incident }) {
  const own = incident === "_audit" ? payload.incident ?? "" : incident;
  const words = rules[kind]?.(payload) ?? [incidentKinds[kind] ?? kind, ""];
  return { what: words[0], why: words[1] ?? "", incident: own };
}

const rules = {
  "audit.signIn": ({ userName, result, from }) => [`${userName || "somebody"} ${signIns[result] ?? result}`, from && `from ${from}`],
  "audit.account": ({ account, change, detail }) => [`${accounts[change] ?? change}: ${account}`, detail],
  "audit.settings": ({ setting, detail }) => [`Setting ${setting}`, detail],
  "audit.access": ({ what, reason }) => [`Looked at ${what}`, reason],
  "incident.opened": ({ priority, type, exercise }) => [`Opened as ${priority}${type ? `, ${type}` : ""}${exercise ? ", an exercise" : ""}`],
  "incident.state": ({ state, outcome, reason }) => [`Now ${state}${outcome ? `, ${outcome}` : ""}`, reason],
  "incident.merged": ({ into }) => [`Merged into ${into}`],
  "assignment.added": ({ name, role }) => [`${name}, ${role}, works on it`],
  "assignment.removed": ({ account, reason }) => [`${account} no longer works on it`, reason],
  "unit.assigned": ({ unit, name }) => [`Unit ${name ?? unit} sent`],
  "unit.stoodDown": ({ unit, reason }) => [`Unit ${unit} stood down`, reason],
  "link.created": ({ role, name, phone }) => [`Link made for a ${role}${name ? `, ${name}` : ""}`, phone],
  "link.sent": ({ by, to }) => [`Link sent by ${by}`, to],
  "link.revoked": ({ link, reason }) => [`Link ${link} withdrawn`, reason],
  "media.watching": ({ on, name, role }) => [`${name}, ${role}, ${on ? "began to watch" : "ceased to watch"}`],
  "media.revealed": ({ on }) => [on ? "Revealed the picture" : "Blurred the picture again"],
  "media.view": ({ name, role, to, reason }) => [
    to === "all" ? `${name}, ${role}, sees all of the picture again` : `${name}, ${role}, sees ${{ audioOnly: "no picture", stills: "still pictures" }[to] ?? "a smaller picture"}`,
    to === "all" ? "" : reason === "overload" ? "more urgent calls came first" : "their line was too weak",
  ],
  "snapshot.taken": ({ source }) => ["Took a snapshot", source && `of stream ${source}`],
  "replay.opened": ({ reason, live }) => [live ? "Looked back while it went on" : "Opened the replay", reason],
  "export.requested": ({ reason, redacted, approval }) => [`Asked for an evidence package${redacted ? " with a redacted copy" : ""}${approval ? ", to be agreed to" : ""}`, reason],
  "export.decided": ({ decision, reason }) => [`Evidence package ${decision}`, reason],
  "export.finished": ({ state, detail }) => [`Evidence package ${state}`, detail],
  "retention.hold": ({ held, reason }) => [held ? "Held against deletion" : "Hold lifted", reason],
  "retention.deleted": ({ class: what, files, reason }) => [`Deleted ${files} files of ${what}`, reason],
  "file.added": ({ name, purpose }) => [`File added: ${name}`, purpose],
  "file.rejected": ({ name, reason }) => [`File refused: ${name}`, reason],
};
