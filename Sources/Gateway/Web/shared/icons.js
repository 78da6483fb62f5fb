/**
 * Sightline's own icons, drawn on a grid of 24 with lines of 2. Each stands beside a text.
 * @module
 */

const namespace = "http://www.w3.org/2000/svg";

const paths = {
  add: "M12 5v14M5 12h14",
  archive: "M4 5h16v4H4zM6 9v10h12V9M10 13h4",
  audit: "M6 4h9l3 3v13H6zM9 11h6M9 15h6",
  back: "M15 5l-7 7 7 7",
  battery: "M3 9h15v7H3zM21 11v3M6 12v1",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l2 1H4zM10 21h4",
  camera: "M3 8h4l2-3h6l2 3h4v11H3zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z",
  chart: "M4 20V4M4 20h16M8 16v-4M12 16V8M16 16v-6",
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  check: "M5 13l4 4L19 7",
  close: "M6 6l12 12M18 6L6 18",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  end: "M6 6h12v12H6z",
  eye: "M2 12c3-4 6-6 10-6s7 2 10 6c-3 4-6 6-10 6s-7-2-10-6zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  eyeOff: "M4 4l16 16M9 7a9 9 0 0 1 3-.5c4 0 7 2 10 5.5a19 19 0 0 1-3 3M6 8.500A19 19 0 0 0 2 12c3 4 6 6 10 6a9 9 0 0 0 4-1",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  flip: "M4 12a8 8 0 0 1 14-5l2 2M20 4v5h-5M20 12a8 8 0 0 1-14 5l-2-2M4 20v-5h5",
  fullscreen: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  guide: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 8v.5M12 11v5",
  hold: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3",
  keyboard: "M3 7h18v10H3zM7 11h.01M11 11h.01M15 11h.01M8 14h8",
  leave: "M14 4h5v16h-5M10 8l-4 4 4 4M6 12h9",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
  list: "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01",
  locate: "M12 3v4M12 17v4M3 12h4M17 12h4M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
  lock: "M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3M12 15v2",
  map: "M9 5L4 7v13l5-2 6 2 5-2V5l-5 2zM9 5v13M15 7v13",
  merge: "M6 4v4c0 4 6 4 6 8v4M18 4v4c0 4-6 4-6 8",
  mic: "M12 4a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V7a3 3 0 0 0-3-3zM6 12a6 6 0 0 0 12 0M12 18v3",
  micOff: "M4 4l16 16M9 9v3a3 3 0 0 0 4 3M15 11V7a3 3 0 0 0-6-1M6 12a6 6 0 0 0 9 5M12 18v3",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  note: "M5 4h14v12l-5 4H5zM14 20v-4h5M8 9h8M8 13h4",
  pause: "M9 6v12M15 6v12",
  people: "M9 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM3 20c0-4 2-6 6-6s6 2 6 6M16 6a3 3 0 0 1 0 6M17 14c3 0 4 2 4 5",
  phone: "M7 3h10v18H7zM11 18h2",
  play: "M8 5l11 7-11 7z",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5",
  send: "M4 5l17 7-17 7 3-7zM7 12h14",
  settings: "M4 7h10M18 7h2M4 17h2M10 17h10M16 5v4M8 15v4",
  share: "M4 5h16v11H4zM9 20h6M12 13V8M9 11l3-3 3 3",
  sound: "M4 10v4h4l5 4V6L8 10zM17 9a4 4 0 0 1 0 6",
  soundOff: "M4 10v4h4l5 4V6L8 10zM17 10l4 4M21 10l-4 4",
  still: "M4 6h16v12H4zM4 15l4-4 4 4 3-3 5 4",
  talk: "M12 4a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V7a3 3 0 0 0-3-3zM6 12a6 6 0 0 0 12 0M12 18v3",
  theme: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  torch: "M8 3h8l-1 6v12H9V9zM8 6h8M12 12v2",
  train: "M3 9l9-4 9 4-9 4zM7 11v5c3 2 7 2 10 0v-5",
  unit: "M3 7h11v9H3zM14 10h4l3 3v3h-7M7 18.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3zM17 18.500a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3z",
  user: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM4 21c0-5 3-7 8-7s8 2 8 7",
  verified: "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6zM8 12l3 3 5-6",
  wall: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  warn: "M12 4l9 16H3zM12 10v4M12 17v.01",
};

/**
 * @param {keyof typeof paths} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}
