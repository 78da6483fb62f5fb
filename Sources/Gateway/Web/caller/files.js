/**
 * Files of the incident, as the caller's link may send and fetch them.
 * @module
 */

import { authorization } from "../shared/access.js";

/** A file was not taken, or could not be had. */
export class FileError extends Error {
  /** @param {number} status HTTP status, 0 without an answer @param {string} text */
  constructor(status, text) {
    super(text);
    this.name = "FileError";
    this.status = status;
  }

  /** Asking again would bring the same answer. */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && ![408, 425, 429].includes(this.status);
  }
}

/**
 * @param {import("../shared/access.js").Access} access
 * @param {Blob} blob
 * @param {string} name
 * @returns {Promise<string>} the file's identifier
 * @throws {FileError}
 */
export async function sendFile(access, blob, name) {
  const query = new URLSearchParams({ name, purpose: "photo" });
  const response = await ask(access, `?${query}`, { method: "POST", headers: { "Content-Type": blob.type }, body: blob });
  return (await response.json()).file;
}

/**
 * @param {import("../shared/access.js").Access} access
 * @param {string} file
 * @returns {Promise<Blob>}
 * @throws {FileError}
 */
export async function fetchFile(access, file) {
  return (await ask(access, `/${encodeURIComponent(file)}`, {})).blob();
}

/** A name for a photo that is taken now. */
export function photoName() {
  return `photo-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.jpg`;
}

async function ask(access, path, { headers, ...options }) {
  const address = `/api/v1/incidents/${encodeURIComponent(access.incident)}/files${path}`;
  let response;
  try {
    response = await fetch(address, { headers: { ...authorization(access.token), ...headers }, ...options });
  } catch (error) {
    throw new FileError(0, String(error.message));
  }
  if (response.ok) return response;
  const answer = await response.json().catch(() => ({}));
  throw new FileError(response.status, answer.detail ?? `The service answered with error ${response.status}.`);
}
