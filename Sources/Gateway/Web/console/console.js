/**
 * The operator's page: the queue, the incident that is open, and what is known of it.
 * @module
 */

import { expose } from "../shared/access.js";
import { build, element } from "../shared/dom.js";
import { homeOf, openShell } from "../shared/shell.js";
import { Desk } from "./desk.js";
import { staff } from "./rights.js";

const shell = await openShell({ title: "Incidents" });
if (shell.session.is(...staff)) run();
else refuse();

function run() {
  const desk = new Desk(shell);
  expose({
    get list() { return desk.list.sorted; },
    get isConnected() { return desk.list.isConnected; },
    get incident() { return desk.current?.id; },
    get model() { return desk.current?.model; },
    get isLoaded() { return desk.current?.model.isLoaded ?? false; },
    get channelState() { return desk.current?.channel.state; },
    get alert() { return desk.alert.facts; },
    get openedIn() { return desk.openedIn; },
  });
  desk.start();
}

/** Somebody whose page this is not: says whose it is and where theirs is. */
function refuse() {
  const { role } = shell.session.person;
  element("desk").replaceChildren(build(
    "section", { class: "refusal", "aria-labelledby": "refusal-title" },
    build("h1", { id: "refusal-title" }, "This page is for the control room"),
    build("p", {}, `You are signed in as ${role}. Operators, dispatchers, supervisors and trainers take calls here.`),
    build("p", {}, build("a", { href: shell.session.address(homeOf(role)) }, "Go to your own page"))));
  expose({ get refused() { return role; } });
}
