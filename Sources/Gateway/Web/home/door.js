/**
 * What the pages in front of the door ask: neither question is refused to anybody.
 * @module
 */

import { Session } from "../shared/session.js";

const nobody = new Session("");

/**
 * The service as everybody may know it.
 * @returns {Promise<{name: string} | undefined>} undefined when it does not answer
 */
export async function learnService() {
  try {
    return await nobody.get("/api/v1/service");
  } catch {
    return undefined;
  }
}

/**
 * Whether this browser is signed in.
 * @returns {Promise<{state: "open" | "locked" | "none", name?: string, role?: string}>}
 */
export async function learnSession() {
  try {
    return await nobody.get("/api/v1/session");
  } catch {
    return { state: "none" };
  }
}

/**
 * Where to go after signing in: only to pages of this service.
 * @param {string | null} wish as an address asked for it
 * @param {string} home where to go otherwise
 * @param {Location} here
 * @returns {string} a path with its query
 */
export function destination(wish, home, here = location) {
  // A browser reads \ as /, and leaves line breaks out: only what begins as a plain path is looked at.
  if (!wish || !/^\/(?![/\\])[\x20-\x7e]*$/.test(wish)) return home;
  const target = new URL(wish, here.origin);
  if (target.origin !== here.origin || ["/", "/sign-in"].includes(target.pathname)) return home;
  return target.pathname + target.search + target.hash;
}
