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
 * @param {import("./statistics.js").Figures} figures of the slot
 * @param {string} [told] the reason that the service gave, which says more than any measurement
 * @returns {string} empty while there is nothing to say
 */
export function qualityWords({ video } = {}, told) {
  if (told) return `Picture reduced: ${told}`;
  if (!video?.width) return "";
  if (video.lossRatio > highLoss) return `Weak line: ${Math.round(100 * video.lossRatio)} % is lost on the way`;
  if (video.framesPerSecond !== undefined && video.framesPerSecond < fewFrames) {
    return `Only ${Math.round(video.framesPerSecond)} pictures a second arrive`;
  }
  if (video.bitsPerSecond > 0 && video.bitsPerSecond < lowBitrate) return `Low quality: ${rate(video.bitsPerSecond)}`;
  if (video.height < lowHeight) return `Small picture: ${video.width}×${video.height}`;
  return "";
}
