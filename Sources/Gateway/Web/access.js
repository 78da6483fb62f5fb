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
