/**
 * How good a received picture is, in words: why it is not what it could be.
 * @module
 */

import { rate } from "./times.js";

const lowBitrate = 200_000;
const lowHeight = 240;
const fewFrames = 8;
const highLoss = 0.05;

/**
 * What the service says of a slot: what is on it, how much of that it shows, and why not all.
 * @typedef {{source: string, kind: "audio" | "video", shows: "all" | "layer" | "stills" | "audioOnly", layer?: number, layers?: number,
 *   reason?: "link" | "overload" | "wanted", linkBitsPerSecond?: number}} View
 */

/** By the reason, then by what is left. */
const reductions = {
  link: {
    layer: "Your connection is too weak for the full picture",
    stills: "Your connection is too weak for a moving picture: still picture every few seconds",
    audioOnly: "Your connection is too weak for a picture: sound goes on",
  },
  overload: {
    layer: "Another, more urgent call comes first: smaller picture",
    stills: "Another, more urgent call comes first: still picture every few seconds",
    audioOnly: "Another, more urgent call comes first: no picture, sound goes on",
  },
};
const inShort = { layer: "smaller picture", stills: "still pictures", audioOnly: "sound only" };

/**
 * Why the service shows less of a picture than there is.
 * @param {View} [view]
 * @returns {string} empty while nothing is kept back
 */
export function reductionWords(view) {
  return (isReduced(view) && reductions[view.reason][view.shows]) || "";
}

/** The same in two words, for small pictures. @param {View} [view] */
export function shortReduction(view) {
  return (isReduced(view) && inShort[view.shows]) || "";
}

/** What somebody asked for themselves is not taken from them. */
function isReduced(view) {
  return view?.kind === "video" && view.reason in reductions;
}

/**
 * @param {import("./statistics.js").Figures} figures of the slot
 * @param {View} [view] what the service says, which tells more than any measurement
 * @returns {string} empty while there is nothing to say
 */
export function qualityWords({ video } = {}, view) {
  const told = reductionWords(view);
  if (told) return told;
  if (!video?.width) return "";
  if (video.lossRatio > highLoss) return `Weak line: ${Math.round(100 * video.lossRatio)} % is lost on the way`;
  // A picture that was asked for small is small, and has no more bits than that takes.
  if (view?.reason === "wanted") return "";
  if (video.framesPerSecond !== undefined && video.framesPerSecond < fewFrames) {
    return `Only ${Math.round(video.framesPerSecond)} pictures a second arrive`;
  }
  if (video.bitsPerSecond > 0 && video.bitsPerSecond < lowBitrate) return `Low quality: ${rate(video.bitsPerSecond)}`;
  if (video.height < lowHeight) return `Small picture: ${video.width}×${video.height}`;
  return "";
}
