/**
 * Times and measures as people in this field read them.
 * @module
 */

export { clock, rate } from "./words.js";

/** Seconds between an ISO 8601 time and now. @param {string} time */
export function secondsSince(time) {
  return (Date.now() - Date.parse(time)) / 1000;
}

/** How old something is: "4 s ago", "12 min ago". @param {number} seconds */
export function age(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s ago`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ago`;
  return whole < 86_400 ? `${Math.floor(whole / 3600)} h ago` : `${Math.floor(whole / 86_400)} days ago`;
}

/** A length on the ground. @param {number} metres */
export function distance(metres) {
  if (metres < 1000) return `${Math.round(metres)} m`;
  return `${(metres / 1000).toFixed(metres < 10_000 ? 1 : 0)} km`;
}

/** Time of day: 14:03:22. @param {string} time ISO 8601 */
export function timeOfDay(time) {
  return new Date(time).toLocaleTimeString("en-GB");
}

/** Day and time of day: 2026-11-28 14:03. @param {string} time ISO 8601 */
export function dayAndTime(time) {
  const date = new Date(time);
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** An amount of storage. @param {number} count bytes */
export function bytes(count) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let index = 0;
  while (count >= 1000 && index < units.length - 1) [count, index] = [count / 1000, index + 1];
  return `${index === 0 || count >= 100 ? Math.round(count) : count.toFixed(1)} ${units[index]}`;
}
