/**
 * The ground of a map that has no pictures of the ground: lines a round number of metres apart, and rings around a place.
 * @module
 */

import { distance } from "./times.js";

const metresPerDegree = 111_320;
/** About so many pixels lie between two lines. */
const wantedPixels = 80;
/** More lines than this in one direction are not drawn. */
const maximumLines = 60;
const rings = [1, 2, 4];

/** Draws anew when the map has moved; the lines keep their places on the ground. */
export class MapGrid {
  #library;
  #map;
  #group;
  #center;
  /** Metres between two lines. */
  step = 0;

  /** @param {any} library Leaflet @param {any} map */
  constructor(library, map) {
    this.#library = library;
    this.#map = map;
    this.#group = library.layerGroup();
  }

  get isShown() {
    return this.#map.hasLayer(this.#group);
  }

  /** @param {boolean} isShown */
  show(isShown) {
    if (isShown === this.isShown) return;
    if (isShown) {
      this.#group.addTo(this.#map);
      this.#map.on("moveend", this.#draw);
      this.#draw();
    } else {
      this.#group.remove();
      this.#map.off("moveend", this.#draw);
    }
  }

  /** The place that the rings are around. @param {{lat: number, lon: number} | undefined} place */
  center(place) {
    if (place?.lat === this.#center?.lat && place?.lon === this.#center?.lon) return;
    this.#center = place && { lat: place.lat, lon: place.lon };
    if (this.isShown) this.#draw();
  }

  #draw = () => {
    this.#group.clearLayers();
    const bounds = this.#map.getBounds().pad(0.5);
    const middle = this.#center ?? { lat: bounds.getCenter().lat, lon: bounds.getCenter().lng };
    const eastMetres = metresPerDegree * Math.max(0.01, Math.cos((middle.lat * Math.PI) / 180));
    const pixels = this.#map.getSize().x || 1;
    const width = (this.#map.getBounds().getEast() - this.#map.getBounds().getWest()) * eastMetres;
    this.step = roundNumber((width / pixels) * wantedPixels);
    const [north, east] = [this.step / metresPerDegree, this.step / eastMetres];
    for (const lat of multiples(middle.lat, north, bounds.getSouth(), bounds.getNorth())) {
      this.#line([[lat, bounds.getWest()], [lat, bounds.getEast()]]);
    }
    for (const lon of multiples(middle.lon, east, bounds.getWest(), bounds.getEast())) {
      this.#line([[bounds.getSouth(), lon], [bounds.getNorth(), lon]]);
    }
    if (this.#center) for (const count of rings) this.#ring(count * this.step, north * count);
  };

  #line(points) {
    this.#library.polyline(points, { className: "map-grid", interactive: false }).addTo(this.#group);
  }

  #ring(metres, north) {
    const { lat, lon } = this.#center;
    this.#library.circle([lat, lon], { radius: metres, className: "map-ring", interactive: false, fill: false }).addTo(this.#group);
    const text = document.createElement("span");
    text.textContent = distance(metres);
    const icon = this.#library.divIcon({ className: "map-ring-label", html: text, iconSize: [0, 0] });
    this.#library.marker([lat + north, lon], { icon, interactive: false, keyboard: false }).addTo(this.#group);
  }
}

/** 1, 2 or 5 times a power of ten, the next one up. */
function roundNumber(metres) {
  const power = 10 ** Math.floor(Math.log10(Math.max(0.1, metres)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= metres) ?? power;
}

function multiples(origin, step, from, to) {
  const first = Math.ceil((from - origin) / step);
  const count = Math.min(maximumLines, Math.floor((to - origin) / step) - first + 1);
  return Array.from({ length: Math.max(0, count) }, (_, index) => origin + (first + index) * step);
}
