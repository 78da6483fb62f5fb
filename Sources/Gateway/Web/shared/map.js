/**
 * The map of an incident: callers with how sure their place is and where they were, units, oneself, the place that staff
 * set. The ground comes from the configured server of tiles; without one there is a plain grid, and without Leaflet the
 * places are told in words, as they are in any case below the map.
 * @module
 */

import { build, keepRows, setText } from "./dom.js";
import { icon } from "./icons.js";
import { MapGrid } from "./mapgrid.js";
import { placesOf } from "./mapplaces.js";

const library = "/assets/leaflet/leaflet.esm.min.js";
const libraryStyle = "/assets/leaflet/leaflet.css";
/** Milliseconds after which ages are told anew. */
const ageInterval = 5000;
/** The closest that fitting gets, and where a lone place is shown. */
const fitZoom = 17;
const maximumZoom = 19;
/** The newest part of a track is drawn fully, older ones fainter. */
const trackParts = 5;
const nothing = "No place is known yet";
const namespace = "http://www.w3.org/2000/svg";

/** The mark of each kind of place, drawn on a grid of 24 around its middle. */
const shapes = {
  caller: "M12 3a7 7 0 0 1 7 7c0 5-7 11-7 11S5 15 5 10a7 7 0 0 1 7-7z",
  own: "M12 2l7 19-7-5-7 5z",
  heading: "M12 3l6 17-6-4-6 4z",
  unit: "M5 7h14v10H5z",
  scene: "M12 3l9 9-9 9-9-9z",
  other: "M12 6a6 6 0 1 0 0 12 6 6 0 0 0 0-12z",
};

/** Leaflet is loaded once a page, when the first map asks for it. */
let loading;

function loadLibrary() {
  loading ??= (async () => {
    const style = build("link", { rel: "stylesheet", href: libraryStyle });
    const isStyled = new Promise((resolve, reject) => {
      style.addEventListener("load", resolve);
      style.addEventListener("error", reject);
    });
    document.head.prepend(style);
    const [module] = await Promise.all([import(library), isStyled]);
    return module;
  })();
  return loading;
}

/** A map in an element. */
export class IncidentMap {
  /** What is shown now. @type {import("./mapplaces.js").Place[]} */
  places = [];
  /** Whether the map goes on showing all places when they move; ends when somebody moves the map. */
  isFollowing = true;

  #service;
  #isInteractive;
  #frame = build("div", { class: "map-canvas" });
  #tools = build("div", { class: "map-tools" });
  #root;
  #caption = build("summary", {});
  #list = build("ul", {});
  #words = build("details", { class: "map-places" }, this.#caption, this.#list);
  #followButton;
  #library;
  #map;
  #grid;
  #marks = new Map();
  #model;
  #options = {};
  #timer;
  #resizing;
  #isMoving = false;
  #isDestroyed = false;

  /**
   * @param {HTMLElement} element gets the map and, below it, the places in words
   * @param {{service: {map: {available: boolean, tiles?: string, attribution?: string}}, interactive?: boolean}} options
   */
  constructor(element, { service, interactive = true }) {
    this.#service = service;
    this.#isInteractive = interactive;
    this.#followButton = build(
      "button", { type: "button", "aria-pressed": "true", "aria-label": "Show all places, and follow them", title: "Show all places, and follow them", onclick: () => this.center() },
      icon("locate"), build("span", {}, "Show all"));
    this.#root = element;
    element.classList.add("map");
    const empty = build("p", { class: "map-empty" }, nothing);
    element.replaceChildren(build("div", { class: "map-frame" }, this.#frame, this.#tools, empty), this.#words);
    this.#tell();
    if (service.map.available) {
      loadLibrary().then((module) => this.#begin(module), () => this.#goWithout());
    } else {
      this.#goWithout();
    }
    this.#timer = setInterval(() => this.#options.now === undefined && this.#refresh(), ageInterval);
  }

  /**
   * Shows how things stand now.
   * @param {import("./incident.js").IncidentModel} model or anything with its `callers`, `units` and `place`
   * @param {{own?: import("./incident.js").Fix, ownUnit?: string, now?: number,
   *   others?: {lat: number, lon: number, label: string, priority?: string}[]}} [options]
   */
  update(model, options = {}) {
    this.#model = model;
    this.#options = options;
    this.#refresh();
  }

  /** Shows all places, and goes on doing so. */
  center() {
    this.#follow(true);
    this.#fit(true);
  }

  destroy() {
    this.#isDestroyed = true;
    clearInterval(this.#timer);
    this.#resizing?.disconnect();
    this.#map?.remove();
    this.#map = undefined;
  }

  /** For tests: what ground the places stand on. @returns {"tiles" | "grid" | "words" | ""} */
  get ground() {
    if (this.#words.hasAttribute("data-alone")) return "words";
    return this.#map ? (this.#grid.isShown ? "grid" : "tiles") : "";
  }

  // MARK: Setting up

  #begin(module) {
    if (this.#isDestroyed) return;
    this.#library = module;
    const isInteractive = this.#isInteractive;
    this.#map = module.map(this.#frame, {
      zoomControl: false, attributionControl: false, dragging: isInteractive, keyboard: isInteractive,
      scrollWheelZoom: isInteractive, doubleClickZoom: isInteractive, touchZoom: isInteractive, boxZoom: isInteractive,
      fadeAnimation: false, zoomAnimation: false, markerZoomAnimation: false, inertia: false, maxZoom: maximumZoom,
      renderer: module.svg({ padding: 0.5 }),
    });
    this.#map.setView([0, 0], 2);
    this.#frame.setAttribute("role", "region");
    this.#frame.setAttribute("aria-label", isInteractive ? "Map; arrow keys move it, plus and minus zoom" : "Map");
    if (!isInteractive) this.#frame.removeAttribute("tabindex");
    module.control.scale({ imperial: false, position: "bottomleft" }).addTo(this.#map);
    this.#grid = new MapGrid(module, this.#map);
    this.#addTiles();
    this.#addTools();
    this.#map.on("movestart", () => !this.#isMoving && this.#follow(false));
    this.#resizing = new ResizeObserver(() => this.#onResize());
    this.#resizing.observe(this.#frame);
    this.#refresh();
  }

  #addTiles() {
    const { tiles, attribution } = this.#service.map;
    if (!tiles) return this.#grid.show(true);
    const layer = this.#library.tileLayer(tiles, { maxZoom: maximumZoom, className: "map-tiles" }).addTo(this.#map);
    // A server of maps that does not answer leaves the grid.
    layer.on("tileerror", () => this.#grid.show(true));
    layer.on("tileload", () => this.#grid.show(false));
    if (!attribution) return;
    const text = build("span", {}, attribution).innerHTML;
    this.#library.control.attribution({ prefix: false }).addAttribution(text).addTo(this.#map);
  }

  #addTools() {
    if (!this.#isInteractive) return;
    const zoom = (steps) => () => {
      this.#follow(false);
      this.#map.setZoom(this.#map.getZoom() + steps);
    };
    const button = (symbol, words, action) =>
      build("button", { type: "button", title: words, onclick: action }, symbol, build("span", { class: "unseen" }, words));
    this.#tools.replaceChildren(
      button(icon("add"), "Closer", zoom(1)), button(minus(), "Farther", zoom(-1)), this.#followButton);
  }

  #goWithout() {
    if (this.#isDestroyed) return;
    this.#root.querySelector(".map-frame").hidden = true;
    this.#words.open = true;
    this.#words.toggleAttribute("data-alone", true);
    this.#refresh();
  }

  #onResize() {
    this.#move(() => this.#map?.invalidateSize({ animate: false, pan: false }));
    if (this.isFollowing) this.#fit(true);
  }

  // MARK: Showing

  #refresh() {
    if (!this.#model || this.#isDestroyed) return;
    this.places = placesOf(this.#model, this.#options);
    this.#tell();
    if (this.#map) this.#draw();
  }

  #tell() {
    const [first] = this.places;
    const more = this.places.length - 1;
    this.#root.toggleAttribute("data-empty", !first);
    setText(this.#caption, first ? first.words + (more > 0 ? `, and ${more} more` : "") : nothing);
    keepRows(
      this.#list, this.places, (place) => place.key, (place) => build("li", { dataset: { kind: place.kind } }),
      (row, place) => setText(row, place.words));
  }

  #draw() {
    const gone = new Set(this.#marks.keys());
    for (const place of this.places) {
      gone.delete(place.key);
      const mark = this.#marks.get(place.key) ?? new Mark(this.#library, this.#map);
      this.#marks.set(place.key, mark);
      mark.show(place);
    }
    for (const key of gone) {
      this.#marks.get(key).remove();
      this.#marks.delete(key);
    }
    this.#grid.center(this.places.find(({ kind }) => kind === "caller") ?? this.places[0]);
    if (this.isFollowing) this.#fit(false);
  }

  /** Shows all places; unless it is asked for, only when one of them is out of sight. @param {boolean} isAsked */
  #fit(isAsked) {
    if (!this.#map || this.places.length === 0 || this.#map.getSize().x === 0) return;
    const bounds = this.#library.latLngBounds(this.places.map(({ lat, lon }) => [lat, lon]));
    const isInSight = this.#map.getZoom() > 2 && this.#map.getBounds().pad(-0.05).contains(bounds);
    if (isInSight && !isAsked) return;
    const { x, y } = this.#map.getSize();
    const padding = [Math.min(48, 0.15 * x), Math.min(48, 0.22 * y)];
    this.#move(() => this.#map.fitBounds(bounds, { maxZoom: fitZoom, padding, animate: false }));
  }

  /** A movement of our own, which is not somebody's. */
  #move(action) {
    this.#isMoving = true;
    action();
    this.#isMoving = false;
  }

  #follow(isOn) {
    this.isFollowing = isOn;
    this.#followButton.setAttribute("aria-pressed", String(isOn));
  }
}

/** One place on the map: its mark with a label, how sure it is, and where it was. */
class Mark {
  #library;
  #map;
  #marker;
  #circle;
  #track = [];
  #drawn = "";

  constructor(library, map) {
    this.#library = library;
    this.#map = map;
  }

  /** @param {import("./mapplaces.js").Place} place */
  show(place) {
    // Ages are told in words: only what looks different is drawn anew.
    const drawn = JSON.stringify([{ ...place, age: 0, words: "" }]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.remove();
    const at = [place.lat, place.lon];
    const shared = { interactive: false, keyboard: false };
    if (place.accuracy > 0 && place.kind !== "own") {
      const className = `map-accuracy map-${place.kind} ${place.staleness}`;
      this.#circle = this.#library.circle(at, { ...shared, radius: place.accuracy, className }).addTo(this.#map);
    }
    this.#drawTrack(place);
    const pin = build("div", { class: "map-pin", "aria-hidden": "true" }, shape(place), build("span", {}, place.label));
    const className = `map-mark map-${place.kind} ${place.staleness}`;
    const markIcon = this.#library.divIcon({ className, html: pin, iconSize: [0, 0] });
    const zIndexOffset = { own: 300, caller: 200, unit: 100 }[place.kind] ?? 0;
    this.#marker = this.#library.marker(at, { ...shared, icon: markIcon, zIndexOffset }).addTo(this.#map);
    if (place.priority) this.#marker.getElement().dataset.priority = place.priority;
  }

  remove() {
    for (const layer of [this.#marker, this.#circle, ...this.#track]) layer?.remove();
    this.#marker = this.#circle = undefined;
    this.#track = [];
  }

  #drawTrack({ track }) {
    if (track.length < 2) return;
    const length = Math.max(1, Math.ceil((track.length - 1) / trackParts));
    for (let end = track.length - 1, part = 0; end > 0; end -= length, part += 1) {
      const points = track.slice(Math.max(0, end - length), end + 1);
      const opacity = Math.max(0.15, 1 - part / trackParts);
      this.#track.push(
        this.#library.polyline(points, { className: "map-track", opacity, interactive: false }).addTo(this.#map));
    }
  }
}

function shape({ kind, heading }) {
  const isDirected = kind === "unit" && heading !== undefined;
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", shapes[isDirected ? "heading" : kind]);
  svg.append(path);
  if (isDirected || kind === "own") svg.style.transform = `rotate(${heading ?? 0}deg)`;
  return svg;
}

function minus() {
  const svg = icon("add");
  svg.firstChild.setAttribute("d", "M5 12h14");
  return svg;
}
