/**
 * The operator's page: the queue, the incident that is open, and what is known of it.
 * @module
 */

import { expose } from "../shared/access.js";
import { openShell } from "../shared/shell.js";
import { Desk } from "./desk.js";

const shell = await openShell({ title: "Incidents" });
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
