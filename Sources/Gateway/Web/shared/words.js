/**
 * What the pages say. Short sentences that a frightened person reads once; comments are for translators.
 * @module
 */

/**
 * Seconds as a clock: 0:42, 12:05, 1:02:03.
 * @param {number} seconds
 */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60];
  const hours = Math.floor(whole / 3600);
  const tail = (hours > 0 ? [hours, ...parts] : parts).map((part, index) => (index ? String(part).padStart(2, "0") : part));
  return tail.join(":");
}

/**
 * Bits per second as people in this field say it.
 * @param {number} bits
 */
export function rate(bits) {
  return bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1000)} kbit/s`;
}

/** Words of the conversation in writing. */
export const chat = {
  you: "You",
  // Who wrote, and as what, unless the name says it.
  who: (name, role) => (name.toLowerCase().includes(roleName(role)) ? name : [name, roleName(role)].filter(Boolean).join(", ")),
  // Callers and guests do not read it.
  team: "team only",
  waiting: "waiting for the network",
  sent: "sent",
  delivered: "arrived",
  read: "read",
  refused: (reason) => `not sent: ${reason}`,
};

/** Roles as people call them: one, several. */
const roles = {
  operator: ["operator", "operators"],
  dispatcher: ["dispatcher", "dispatchers"],
  responder: ["responder", "responders"],
  supervisor: ["supervisor", "supervisors"],
  trainer: ["trainer", "trainers"],
  caller: ["caller", "callers"],
  guest: ["guest", "guests"],
};

/** @param {string} role */
export function roleName(role) {
  return roles[role]?.[0] ?? role;
}

/**
 * People as a list of their roles: "operator, 2 responders".
 * @param {{role: string}[]} people
 */
export function listRoles(people) {
  const counts = new Map();
  for (const { role } of people) counts.set(role, (counts.get(role) ?? 0) + 1);
  return [...counts].map(([role, count]) => (count > 1 ? `${count} ${roles[role]?.[1] ?? role}` : roleName(role))).join(", ");
}

/** Words of the viewer's page. */
export const viewer = {
  connecting: (seconds) => `Connecting, ${Math.floor(seconds)} s`,
  waiting: "Waiting for the caller",
  // We have lost the service.
  reconnecting: "Reconnecting",
  // The service is there; the caller's own connection is gone for the moment.
  callerReconnecting: "The caller is reconnecting",
  // Sound arrives, pictures do not; the number counts up.
  noPicture: (seconds) => `No new picture for ${Math.floor(seconds)} s`,
  soundOnly: "Sound only",
  live: "Live",
  ended: "Caller ended",
  hidden: "Picture hidden. Press R to reveal it.",
  // We are not let in any more.
  revoked: "You can no longer watch: the link was withdrawn.",
  expired: "You can no longer watch: the link's time is over. Ask for a new one.",
  lost: "You no longer belong to this incident. Ask the control room if you need to watch.",
  incidentOver: "This incident is over.",
  // {number}: the incident that this one became part of.
  merged: (number) => `This incident goes on as ${number}. Open it there.`,
  // Where the caller is: the radius in metres, how old the fix is.
  accuracy: (metres) => (metres < 1000 ? `within ${Math.round(metres)} m` : `within ${(metres / 1000).toFixed(1)} km`),
  age: (seconds) => {
    if (seconds < 60) return `${Math.max(0, Math.floor(seconds))} s ago`;
    return seconds < 3600 ? `${Math.floor(seconds / 60)} min ago` : "more than an hour ago";
  },
};

/**
 * Names as a list in which equal ones are counted: "operator, 2 paramedics".
 * @param {string[]} names
 */
export function listNames(names) {
  const counts = new Map();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts].map(([name, count]) => (count > 1 ? `${count} × ${name}` : name)).join(", ");
}

/** Words of the replay, and of looking back in a call that goes on. */
export const replay = {
  title: (incident) => `Replay of ${incident}`,
  incomplete: "This address names no incident. Open it exactly as you were given it.",
  playing: "Playing",
  paused: "Paused",
  waiting: "Loading",
  fast: (rate) => `Playing, ${rate} times as fast`,
  nothing: "Nothing was recorded",
  unreachable: "The service does not answer. Trying again.",
  hidden: "Picture hidden. Press R to reveal it.",
  speed: (rate) => `${rate}×`,
  // {total}: how long all of it is, as a clock.
  of: (total) => `of ${total}`,
  position: (at, total) => `${at} of ${total}`,
  // A stream in the timeline; {owner}: whose it is, if that is known; {number}: which of several.
  track: (kind, owner, number) => {
    const what = kind === "video" ? "picture" : "sound";
    const name = owner ? `${owner}: ${what}` : what[0].toUpperCase() + what.slice(1);
    return number ? `${name} ${number}` : name;
  },
  lanes: {
    location: "Places", talk: "Text and notes", decisions: "Decisions", stages: "Caller's stages", watching: "Who watched",
    pictures: "Stills and files",
  },
  /** Where nothing is shown, and why. @param {{start: number, end: number, reason: string}} hole */
  hole: ({ start, end, reason }) => {
    const why = holes[reason] ?? reason;
    if (reason === "none") return `No picture: ${why}`;
    const seconds = end - start;
    return `No picture: ${why}, ${seconds < 10 ? Math.max(0.1, seconds).toFixed(1).replace(/\.0$/, "") : Math.round(seconds)} s`;
  },
  // Something is wrong with the archive; what it is stands below the pictures.
  damaged: "Not all of it can be shown",
  verifying: "Reading all of it",
  // {at}: a time of day; what follows says how much was checked.
  verified: ({ state, segments }, at) =>
    state === "sealed"
      ? `Sealed ${at}, ${segments} segments verified`
      : `Not sealed yet, ${segments} segments verified so far`,
  notVerified: (count) => (count === 1 ? "Changed since it was recorded: 1 finding" : `Changed since it was recorded: ${count} findings`),
  finding: ({ path, line, text }) => [path, line && `line ${line}`, text].filter(Boolean).join(" "),
  // {at}: a time of day.
  seal: (state, at) =>
    ({
      none: "", live: "Recording goes on", sealed: `Sealed ${at}`,
      unsealed: at ? `Not sealed yet, last signed ${at}` : "Not sealed yet",
    })[state] ?? "",
  place: (accuracy, age) => {
    const within = accuracy === undefined ? "" : `within ${Math.round(accuracy)} m, `;
    return `${within}${Math.max(0, Math.floor(age))} s old`;
  },
  // Looking back while the call goes on.
  behind: (seconds) => `${Math.round(seconds)} s behind`,
  loadingBack: "Loading what was recorded",
  notYet: "Nothing is recorded yet",
};

/** Why a recorded stream has nothing for a while. */
const holes = {
  loss: "loss",
  pause: "the sender sent none",
  reconnect: "reconnecting",
  overload: "the recorder could not keep up",
  disk: "the disk was full or too slow",
  crash: "the server was restarted",
  unknown: "nothing was recorded",
  none: "nothing was recorded",
};

/** Words of the page that looks for incidents. */
export const archive = {
  searching: "Searching",
  // How many were found; counting ends somewhere.
  count: (count, isExact) => `${isExact ? "" : "more than "}${count.toLocaleString("en")} ${count === 1 ? "incident" : "incidents"}`,
  // The service has just started and is still reading.
  incomplete: "The catalogue is still being read: older incidents may be missing for a moment.",
  nothing: "No incident fits all filters. Leave one out, or shorten a word.",
  signIn: "Sign in first, or open this page with the link that you were given.",
  forbidden: "Your role does not look for incidents. Ask a supervisor.",
  failed: "The service did not answer. The search is tried again when you change a filter.",
  badPlace: "Around: latitude and longitude with a comma between them, such as 53.5503, 9.9937.",
  recording: { none: "no recording", running: "recording", sealed: "sealed" },
  held: "held",
  exercise: "EXERCISE",
  noType: "no type given",
  callers: (count) => (count === 0 ? "no caller" : `${count} ${count === 1 ? "caller" : "callers"}`),
  // People of the staff and units that were on it.
  staff: (count) => (count === 0 ? "" : `${count} staff`),
  states: {
    new: "new", queued: "waiting", active: "active", monitored: "monitored", reopened: "reopened", ended: "ended",
    merged: "merged", cancelled: "cancelled",
  },
  outcomes: {
    handled: "handled", attached: "attached to another", callerAdvised: "caller advised", noEmergency: "no emergency",
    hoax: "hoax", accidental: "accidental", abandoned: "abandoned",
  },
};
