/**
 * What a page's own address says: which incident, with which token, and options for tests.
 * @module
 */

/**
 * @typedef {object} Access
 * @property {string} incident
 * @property {string} token
 * @property {URLSearchParams} options
 */

/**
 * @param {Location} location such as `/call/{incident}?token=…`
 * @returns {Access}
 */
export function readAccess(location) {
  const options = new URLSearchParams(location.search);
  const incident = location.pathname.split("/")[2] ?? "";
  return { incident: decodeURIComponent(incident), token: options.get("token") ?? "", options };
}

const keys = new Map();

/**
 * What this page made up to be known by: a caller's link is good for one page, and a reload has to be that page still.
 * @param {string} token
 * @returns {string}
 */
export function pageKey(token) {
  const name = `sightline.key.${token.slice(-32)}`;
  let key = keys.get(name);
  try {
    key ??= sessionStorage.getItem(name) ?? undefined;
  } catch {
    // Storage may be forbidden; the key then lasts as long as the page.
  }
  key ??= randomText(16);
  keys.set(name, key);
  try {
    sessionStorage.setItem(name, key);
  } catch {
    // As above.
  }
  return key;
}

/** So many random bytes as hexadecimal text. */
export function randomText(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What a signed-in browser repeats with every request that changes something; its cookie goes by itself. */
let csrfToken = "";

/** @param {string} token of the answer to the sign-in, or of `/api/v1/me` */
export function useSession(token) {
  csrfToken = token;
}

/**
 * The header fields of a request by the page's bearer; without a token the browser's session counts.
 * @param {string} token
 * @returns {Record<string, string>}
 */
export function authorization(token) {
  if (token) return { Authorization: `Bearer ${token}`, "Sightline-Key": pageKey(token) };
  return csrfToken ? { "X-CSRF-Token": csrfToken } : {};
}

/**
 * The peer connection's configuration. With `?ice=relay` only relayed paths are used: it shows whether TURN works.
 * @param {Access} access
 * @param {RTCIceServer[]} iceServers
 * @returns {RTCConfiguration}
 */
export function configuration({ options }, iceServers) {
  return { iceServers, iceTransportPolicy: options.get("ice") === "relay" ? "relay" : "all" };
}

/**
 * Puts a codec first, such as `?codec=AV1`, so that tests can choose; the browser's own order is right otherwise.
 * @param {RTCRtpTransceiver} transceiver
 * @param {string | null} name
 */
export function preferCodec(transceiver, name) {
  if (!name || !transceiver.setCodecPreferences) return;
  const { codecs } = RTCRtpReceiver.getCapabilities("video");
  const isWanted = (codec) => codec.mimeType.toLowerCase() === `video/${name.toLowerCase()}`;
  const isRepair = (codec) => /\/(rtx|red|ulpfec)$/i.test(codec.mimeType);
  const wanted = codecs.filter(isWanted);
  if (wanted.length > 0) transceiver.setCodecPreferences([...wanted, ...codecs.filter(isRepair)]);
}

/**
 * Lets tests look at a page from outside without being able to change it.
 * @param {object} state an object of getters
 */
export function expose(state) {
  Object.defineProperty(window, "sightline", { value: Object.freeze(state), enumerable: true });
}
