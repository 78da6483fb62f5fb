/**
 * Who uses this page, and its requests to the service: by a token in the page's address, or by the browser's session.
 * @module
 */

import { authorization, useSession } from "./access.js";

/** Milliseconds after which a request counts as unanswered. */
const requestTimeout = 15_000;

/** A refusal of the service, in its own words, or no answer at all (`status` 0). */
export class ServiceError extends Error {
  /**
   * @param {number} status HTTP status
   * @param {string} text for the person
   * @param {string} [code] of the problem document
   * @param {number} [retryAfter] seconds
   */
  constructor(status, text, code, retryAfter) {
    super(text);
    this.name = "ServiceError";
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/**
 * @typedef {object} Person
 * @property {string} id who they are in the journal
 * @property {string} role
 * @property {string} name
 * @property {string} [incident] of a link
 * @property {{userName: string, desk?: string, unit?: string, agency: string, secondFactor: boolean}} [account]
 */

/** The person at this page. Dispatches `locked` when the service wants the password again. */
export class Session extends EventTarget {
  /** @type {Person} */
  person;
  token;

  /** @param {string} token empty for the browser's session */
  constructor(token) {
    super();
    this.token = token;
  }

  /**
   * Finds out who is here; people without a session are led to the sign-in page and back, which never returns.
   * @returns {Promise<Session>}
   */
  static async open() {
    const session = new Session(new URLSearchParams(location.search).get("token") ?? "");
    try {
      await session.#learn();
    } catch (error) {
      if (session.token || ![401, 423].includes(error.status)) throw error;
      location.replace(`/sign-in?${new URLSearchParams({ next: location.pathname + location.search })}`);
      await new Promise(() => {});
    }
    return session;
  }

  async #learn() {
    const { csrfToken, ...person } = await this.get("/api/v1/me");
    this.person = person;
    if (csrfToken) useSession(csrfToken);
  }

  /** Whether the person has one of `roles`. @param {...string} roles */
  is(...roles) {
    return roles.includes(this.person.role);
  }

  /** The page's own address elsewhere, with the token if there is one. @param {string} path */
  address(path) {
    return this.token ? `${path}?${new URLSearchParams({ token: this.token })}` : path;
  }

  /** @param {string} path @param {Record<string, string | number | boolean | undefined>} [query] */
  get(path, query) {
    return this.request("GET", path, { query });
  }

  /** @param {string} path @param {object} [json] */
  post(path, json) {
    return this.request("POST", path, { json });
  }

  /**
   * One request.
   * @param {string} method
   * @param {string} path
   * @param {{query?: Record<string, any>, json?: object, body?: BodyInit, type?: string, as?: "json" | "blob" | "response"}} [options]
   * @returns {Promise<any>} the answer's JSON, or `undefined` when it is empty
   * @throws {ServiceError}
   */
  async request(method, path, { query = {}, json, body = json && JSON.stringify(json), type, as = "json" } = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
    const address = given.length > 0 ? `${path}?${new URLSearchParams(given)}` : path;
    const headers = { ...authorization(this.token), ...(body && { "Content-Type": type ?? "application/json" }) };
    const signal = AbortSignal.timeout(requestTimeout);
    let response;
    try {
      response = await fetch(address, { method, headers, body, signal, cache: "no-store" });
    } catch {
      throw new ServiceError(0, "The service cannot be reached right now.");
    }
    if (!response.ok) throw await this.#refusal(response);
    if (as === "response") return response;
    if (as === "blob") return response.blob();
    return response.status === 204 ? undefined : response.json();
  }

  async #refusal(response) {
    const problem = await response.json().catch(() => ({}));
    if (response.status === 423) this.dispatchEvent(new Event("locked"));
    return new ServiceError(
      response.status, problem.detail ?? `The service answered with error ${response.status}.`, problem.code,
      Number(response.headers.get("Retry-After")) || undefined);
  }

  /** Opens a locked session again. @param {string} password */
  async unlock(password) {
    const { csrfToken } = await this.post("/api/v1/unlock", { password });
    useSession(csrfToken);
  }

  async signOut() {
    await this.post("/api/v1/sign-out").catch(() => {});
    location.assign("/sign-in");
  }
}
