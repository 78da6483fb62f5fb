/**
 * How a camera's picture goes out: in several sizes at once, so that the relay can give everybody the one that their line
 * bears, and each size in frames that may be left out. Where a browser cannot do that, one size goes out as before.
 * @module
 */

/**
 * What one size of a picture takes: bits and frames a second; the camera's lines and columns are divided.
 * @typedef {{maxBitrate: number, scaleResolutionDownBy: number, maxFramerate: number}} Size
 * Sizes by their names, smallest first; what is left out is not sent.
 * @typedef {Record<string, Size>} Ladder
 */

/** Frames in three tiers: without the uppermost half of the frames are left, without the upper two a quarter. */
const tiers = ["L1T3", "L1T2"];
/** Codecs that carry all sizes in one stream, which costs less than several. */
const oneStream = {
  VP9: ["L3T3_KEY", "L1T3"],
  // Three sizes of AV1 are too much for a phone that has to encode them in software.
  AV1: ["L1T3"],
};

/**
 * Offers to send a picture.
 * @param {RTCPeerConnection} connection
 * @param {MediaStreamTrack | "video"} picture what is sent; `"video"` when it comes later
 * @param {object} options
 * @param {string[]} options.names of all sizes that may ever be sent, smallest first
 * @param {Ladder} options.ladder what is sent at first
 * @param {MediaStream[]} [options.streams]
 * @param {string | null} [options.codec] the only codec, when one is wanted
 * @param {string | null} [options.mode] scalability mode that tests ask for
 * @returns {RTCRtpTransceiver}
 */
export function offerPicture(connection, picture, { names, ladder, streams = [], codec, mode }) {
  // A page may be asked for one size (`?sizes=one`), as from a device that can do no more.
  const isOne = new URLSearchParams(location.search).get("sizes") === "one";
  const single = oneStream[codec?.toUpperCase()];
  const several = names.map((rid) => ({ rid, ...part(ladder, rid) }));
  const top = part(ladder, names.at(-1), true);
  const tries = isOne ? [[top]] : single
    ? [...(mode ? [mode] : single), undefined].map((each) => [withMode(top, each)])
    : [...[...(mode ? [mode] : tiers), undefined].map((each) => several.map((size) => withMode(size, each))), [top]];
  for (const sendEncodings of tries) {
    try {
      return connection.addTransceiver(picture, { direction: "sendonly", streams, sendEncodings });
    } catch {
      // A mode or a number of sizes that this browser does not know: the next try asks for less.
    }
  }
  return connection.addTransceiver(picture, { direction: "sendonly", streams });
}

/**
 * Changes which sizes are sent, without a word to the other side.
 * @param {RTCRtpSender | undefined} sender
 * @param {string[]} names as in {@link offerPicture}
 * @param {Ladder} ladder
 */
export async function changeSizes(sender, names, ladder) {
  const parameters = sender?.getParameters();
  if (!parameters?.encodings?.length) return;
  const [first, ...others] = parameters.encodings;
  if (others.length === 0) Object.assign(first, part(ladder, names.at(-1), true));
  else for (const encoding of parameters.encodings) Object.assign(encoding, part(ladder, encoding.rid));
  await sender.setParameters(parameters);
}

/** What one encoding is to do; with `isAlone`, it takes the place of the largest of the ladder. */
function part(ladder, rid, isAlone = false) {
  const size = isAlone ? Object.values(ladder).at(-1) : ladder[rid];
  return size ? { active: true, ...size } : { active: false };
}

function withMode(size, scalabilityMode) {
  return scalabilityMode ? { ...size, scalabilityMode } : size;
}
