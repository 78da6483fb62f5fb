/**
 * The small part of SDP that trickling and restarting need: `application/trickle-ice-sdpfrag` (RFC 8840 §9).
 * @module
 */

/**
 * @typedef {object} ICEDescription
 * @property {string} usernameFragment
 * @property {string} password
 * @property {string} mediaLine the first m-line, whose transport carries the whole bundle
 * @property {string} mid its `a=mid` value
 */

/**
 * Reads the ICE parameters of a description.
 * @param {string} sdp
 * @returns {ICEDescription}
 */
export function describeICE(sdp) {
  const value = (name) => sdp.match(new RegExp(`^a=${name}:(\\S+)`, "m"))?.[1] ?? "";
  return {
    usernameFragment: value("ice-ufrag"),
    password: value("ice-pwd"),
    mediaLine: sdp.match(/^m=.*$/m)?.[0].trimEnd() ?? "",
    mid: value("mid"),
  };
}

/**
 * Writes a fragment with candidates.
 * @param {ICEDescription} ice
 * @param {string[]} candidates as in `RTCIceCandidate.candidate`
 * @param {boolean} isComplete no more candidates will follow
 * @returns {string}
 */
export function writeFragment(ice, candidates, isComplete) {
  return [
    `a=ice-ufrag:${ice.usernameFragment}`,
    `a=ice-pwd:${ice.password}`,
    ice.mediaLine,
    `a=mid:${ice.mid}`,
    ...candidates.map((candidate) => `a=${candidate}`),
    ...(isComplete ? ["a=end-of-candidates"] : []),
    "",
  ].join("\r\n");
}

/**
 * The answer that a restart leads to: the first answer with the new credentials, and the new candidates if there are any.
 * @param {string} answer
 * @param {string} fragment what the server answered to the restart
 * @returns {string}
 */
export function applyRestart(answer, fragment) {
  const ice = describeICE(fragment);
  const fresh = fragment.split(/\r?\n/).filter((line) => line.startsWith("a=candidate:"));
  const isOld = (line) => fresh.length > 0 && /^a=(candidate:|end-of-candidates)/.test(line);
  const lines = answer
    .split(/\r?\n/)
    .filter((line) => line !== "" && !isOld(line))
    .map((line) => line.replace(/^a=ice-ufrag:.*/, `a=ice-ufrag:${ice.usernameFragment}`))
    .map((line) => line.replace(/^a=ice-pwd:.*/, `a=ice-pwd:${ice.password}`));
  const firstMedia = lines.findIndex((line) => line.startsWith("m="));
  const nextMedia = lines.findIndex((line, index) => index > firstMedia && line.startsWith("m="));
  lines.splice(nextMedia < 0 ? lines.length : nextMedia, 0, ...fresh);
  return lines.join("\r\n") + "\r\n";
}
