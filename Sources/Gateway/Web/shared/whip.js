/**
 * A small client of WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep): one offer goes out, one answer comes back.
 * @module
 */

import { authorization } from "./access.js";

/** Milliseconds after which a request counts as lost: a dead path must not hold up the next try. */
const requestTimeout = 4000;

const offerType = "application/sdp";
const fragmentType = "application/trickle-ice-sdpfrag";

/** A refusal by the server, or no answer at all (`status` 0). */
export class SignallingError extends Error {
  /**
   * @param {number} status the HTTP status; 0 when nothing came back
   * @param {string} detail what to tell the person
   * @param {number} [retryAfter] seconds that the server asks to wait
   * @param {string} [code] what a program can tell apart
   */
  constructor(status, detail, retryAfter, code) {
    super(detail);
    this.code = code;
    this.name = "SignallingError";
    this.status = status;
    this.retryAfter = retryAfter;
  }

  /** The session is not there any more; a new offer may still be welcome. */
  get isGone() {
    return this.status === 404 || this.status === 410;
  }

  /** Asking again would bring the same answer. */
  get isFinal() {
    return this.status >= 400 && this.status < 500 && ![404, 408, 409, 410, 412, 429].includes(this.status);
  }
}

/** One session at the server: the resource that a POST made. */
export class SignallingSession {
  #url;
  #token;
  #entityTag;

  /**
   * @param {string} url
   * @param {string} token
   * @param {string | null} entityTag
   */
  constructor(url, token, entityTag) {
    this.#url = url;
    this.#token = token;
    this.#entityTag = entityTag;
  }

  /**
   * Sends the offer.
   * @param {string} endpoint
   * @param {string} token
   * @param {string} offer
   * @returns {Promise<{session: SignallingSession, answer: string}>}
   */
  static async open(endpoint, token, offer) {
    const response = await send("POST", endpoint, token, { "Content-Type": offerType }, offer);
    const location = new URL(response.headers.get("Location") ?? "", new URL(endpoint, document.baseURI));
    const session = new SignallingSession(location.href, token, response.headers.get("ETag"));
    return { session, answer: await response.text() };
  }

  /** The last part of the session's address: its peer's name. */
  get peer() {
    return new URL(this.#url).pathname.split("/").at(-1) ?? "";
  }

  /**
   * Adds candidates to the ICE session that is in force (RFC 9725 §4.3.2).
   * @param {string} fragment
   */
  async trickle(fragment) {
    if (!this.#entityTag) return;
    await send("PATCH", this.#url, this.#token, this.#fragmentHeaders(this.#entityTag), fragment);
  }

  /**
   * Restarts ICE (RFC 9725 §4.3.3).
   * @param {string} fragment our new credentials
   * @returns {Promise<string>} the server's
   */
  async restart(fragment) {
    const response = await send("PATCH", this.#url, this.#token, this.#fragmentHeaders("*"), fragment);
    this.#entityTag = response.headers.get("ETag") ?? this.#entityTag;
    return response.text();
  }

  /** Ends the session. It may be the page's last act, so nobody has to wait for it. */
  close() {
    return fetch(this.#url, { method: "DELETE", headers: authorization(this.#token), keepalive: true }).catch(() => {});
  }

  #fragmentHeaders(condition) {
    return { "Content-Type": fragmentType, "If-Match": condition };
  }
}

/**
 * The STUN and TURN servers that the service offers; none when it cannot be asked, since a direct path may do.
 * @param {string} token
 * @returns {Promise<RTCIceServer[]>}
 */
export async function fetchICEServers(token) {
  try {
    const response = await send("GET", "/api/ice-servers", token, {});
    const { iceServers } = await response.json();
    return Array.isArray(iceServers) ? iceServers : [];
  } catch {
    return [];
  }
}

async function send(method, url, token, headers, body) {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), requestTimeout);
  try {
    const response = await fetch(url, {
      method,
      body,
      headers: { ...authorization(token), ...headers },
      cache: "no-store",
      signal: timeout.signal,
    });
    if (!response.ok) throw await refusal(response);
    return response;
  } catch (error) {
    if (error instanceof SignallingError) throw error;
    throw new SignallingError(0, "The service cannot be reached right now.");
  } finally {
    clearTimeout(timer);
  }
}

async function refusal(response) {
  const problem = await response.json().catch(() => ({}));
  const retryAfter = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  return new SignallingError(
    response.status,
    problem.detail ?? `The service answered with error ${response.status}.`,
    Number.isFinite(retryAfter) ? retryAfter : undefined,
    problem.code,
  );
}
