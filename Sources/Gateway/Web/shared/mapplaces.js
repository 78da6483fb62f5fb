/**
 * What stands on the map of an incident, in figures and in words.
 * @module
 */

import { age, distance } from "./times.js";

/** Seconds after which a place counts as old, and as very old. */
const oldAfter = 30;
const veryOldAfter = 300;
const earthRadius = 6_371_008.8;
const winds = ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];

/** How a unit's status reads. */
export const statusWords = {
  assigned: "assigned", acknowledged: "acknowledged", enroute: "en route", onscene: "on scene",
  transporting: "transporting", atHospital: "at hospital", available: "available",
};

/**
 * @typedef {object} Place
 * @property {string} key
 * @property {"own" | "caller" | "unit" | "scene" | "other"} kind
 * @property {string} label beside the mark
 * @property {number} lat
 * @property {number} lon
 * @property {number} [accuracy] metres
 * @property {number} [heading] degrees clockwise from north
 * @property {string} [priority]
 * @property {number} [age] seconds since it was measured
 * @property {"" | "old" | "veryOld"} staleness
 * @property {[number, number][]} track where it was before, oldest first
 * @property {string} words all of it in a sentence
 */

/**
 * @param {import("./incident.js").IncidentModel} model
 * @param {{own?: import("./incident.js").Fix, ownUnit?: string, now?: number,
 *   others?: {lat: number, lon: number, label: string, priority?: string}[]}} [options] `now` as of `Date.now()`, for a replay
 * @returns {Place[]} the most important first
 */
export function placesOf(model, { own, ownUnit, others = [], now = Date.now() } = {}) {
  const callers = [...model.callers.values()];
  const units = [...model.units.values()].filter((unit) => !unit.isStoodDown && !(own && unit.unit === ownUnit));
  const places = [
    ...callers.map((caller, index) => ({
      key: `caller ${caller.id}`, kind: "caller", fix: caller.fix, track: caller.track,
      label: caller.name || (callers.length > 1 ? `Caller ${index + 1}` : "Caller"),
    })),
    { key: "scene", kind: "scene", fix: sceneFix(model.place), label: model.place?.text || "Place set by staff" },
    { key: "own", kind: "own", fix: own, label: "You" },
    ...units.map((unit) => ({
      key: `unit ${unit.unit}`, kind: "unit", fix: unit.fix, detail: statusWords[unit.status] ?? unit.status,
      label: unit.name || unit.unit,
    })),
    ...others.map((other, index) => ({
      key: `other ${index} ${other.label}`, kind: "other", fix: other, label: other.label, priority: other.priority,
    })),
  ];
  return places.filter(({ fix }) => isPlace(fix)).map((place) => describe(place, own, now));
}

/** Metres between two places (haversine). @param {{lat: number, lon: number}} a @param {{lat: number, lon: number}} b */
export function metresBetween(a, b) {
  const [north, east] = [radians(b.lat - a.lat), radians(b.lon - a.lon)];
  const part = Math.sin(north / 2) ** 2 + Math.cos(radians(a.lat)) * Math.cos(radians(b.lat)) * Math.sin(east / 2) ** 2;
  return 2 * earthRadius * Math.asin(Math.min(1, Math.sqrt(part)));
}

/** The direction from one place to another, degrees clockwise from north. */
export function bearing(a, b) {
  const east = radians(b.lon - a.lon);
  const [from, to] = [radians(a.lat), radians(b.lat)];
  const angle = Math.atan2(
    Math.sin(east) * Math.cos(to), Math.cos(from) * Math.sin(to) - Math.sin(from) * Math.cos(to) * Math.cos(east));
  return ((angle * 180) / Math.PI + 360) % 360;
}

/** The direction from one place to another, in words of eight winds. */
export function direction(a, b) {
  return winds[Math.round(bearing(a, b) / 45) % 8];
}

function describe({ key, kind, fix, label, detail, priority, track = [] }, own, now) {
  const seconds = fix.fixedAt ? Math.max(0, (now - Date.parse(fix.fixedAt)) / 1000) : undefined;
  const said = [
    detail, priority,
    fix.accuracy === undefined ? undefined : `within ${distance(fix.accuracy)}`,
    seconds === undefined ? undefined : age(seconds),
    own && kind !== "own" ? fromOwn(own, fix) : undefined,
  ];
  return {
    key, kind, label, priority, lat: fix.lat, lon: fix.lon, accuracy: fix.accuracy, heading: fix.heading, age: seconds,
    staleness: seconds > veryOldAfter ? "veryOld" : seconds > oldAfter ? "old" : "",
    track: track.filter(isPlace).map(({ lat, lon }) => [lat, lon]),
    words: [label, said.filter(Boolean).join(", ")].filter(Boolean).join(": "),
  };
}

function fromOwn(own, fix) {
  const metres = metresBetween(own, fix);
  return metres < 5 ? "where you are" : `${distance(metres)} ${direction(own, fix)} of you`;
}

/** A place that people have set has no age. */
function sceneFix(place) {
  return place && { lat: place.lat, lon: place.lon, accuracy: place.radius };
}

function isPlace(fix) {
  return Number.isFinite(fix?.lat) && Number.isFinite(fix?.lon);
}

function radians(degrees) {
  return (degrees * Math.PI) / 180;
}
