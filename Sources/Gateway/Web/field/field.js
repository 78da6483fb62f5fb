/**
 * The responder's page: the list of incidents, or one of them.
 * @module
 */

import { expose, readAccess } from "../shared/access.js";
import { element, setText } from "../shared/dom.js";
import { ServiceError } from "../shared/session.js";
import { openShell } from "../shared/shell.js";
import { Desk } from "./desk.js";
import { Incidents } from "./incidents.js";
import { addresses } from "./words.js";

const { incident, options } = readAccess(location);
/** @type {Desk | undefined} */
let desk;
/** @type {Incidents | undefined} */
let incidents;

async function begin() {
  const shell = await openShell({ title: incident ? `Incident ${incident}` : "My incidents" });
  incidents = new Incidents(shell.session);
  incidents.open();
  shell.shortcuts.add({
    key: "escape", words: "All my incidents", when: () => Boolean(incident),
    action: () => location.assign(addresses.list(shell.session)),
  });
  if (incident) {
    desk = new Desk(shell, incident, incidents);
    await desk.start();
  } else {
    incidents.show({ opensByItself: !options.has("list") });
  }
}

expose({
  get view() { return ["incidents", "desk", "farewell"].find((id) => !element(id).hidden) ?? ""; },
  get incidents() { return incidents?.rows ?? []; },
  get mine() { return incidents?.mine.map(({ id }) => id) ?? []; },
  get desk() { return desk?.facts; },
  get state() { return desk?.facts.state ?? "idle"; },
  get stats() { return desk?.facts.stats; },
});

begin().catch((error) => {
  const text = error instanceof ServiceError ? error.message : "The page could not be started. Load it again.";
  element("incidents").hidden = false;
  setText(element("incidents-state"), text);
  if (!(error instanceof ServiceError)) console.error(error);
});
