/**
 * How much of a picture a place on the screen can show.
 * @module
 */

/** How much smaller than its place a picture may be before that is seen. */
const tolerance = 0.9;
/** How much room there has to be before a smaller picture is asked for, so that nobody's window makes it go to and fro. */
const margin = 1.15;

/**
 * @param {number} lines that the place has, in the screen's own pixels
 * @param {(number | undefined)[]} heights of the layers that there are
 * @param {number | undefined} limit that is in force; nothing is none
 * @returns {number | undefined} the height that is enough; nothing where all of it is wanted
 */
export function limitFor(lines, heights, limit) {
  const known = [...new Set(heights.filter((height) => height > 0))].sort((one, other) => one - other);
  const fitting = (factor) => known.slice(0, -1).find((height) => height >= factor * lines);
  // With one size there is nothing to choose.
  if (known.length < 2) return undefined;
  const enough = fitting(tolerance);
  const roomy = fitting(tolerance * margin);
  const isMore = enough === undefined || (limit !== undefined && enough > limit);
  return isMore ? enough : roomy !== undefined && roomy < (limit ?? Infinity) ? roomy : limit;
}

/**
 * The lines of a picture where it is largest on the screen.
 * @param {MediaStream} stream
 * @returns {number | undefined} nothing while it is not shown
 */
export function linesOnScreen(stream) {
  let most;
  for (const video of document.querySelectorAll("video")) {
    if (video.srcObject !== stream || video.clientHeight === 0) continue;
    const ratio = video.videoWidth > 0 ? video.videoHeight / video.videoWidth : 0;
    // Whether a picture fills its place or lies within it, it has no more lines than this.
    most = Math.max(most ?? 0, video.clientHeight, video.clientWidth * ratio);
  }
  return most && most * devicePixelRatio;
}
