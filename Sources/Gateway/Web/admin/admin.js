/**
 * Administration: a tab each for accounts, the service, messages, retention, keys, webhooks, health and alarms.
 * @module
 */

import { expose } from "../shared/access.js";
import { element } from "../shared/dom.js";
import { openShell } from "../shared/shell.js";
import { Accounts } from "./accounts.js";
import { Alarms } from "./alarms.js";
import { Health } from "./health.js";
import { Keys } from "./keylist.js";
import { Messages } from "./messages.js";
import { NodeState } from "./nodestate.js";
import { Retention } from "./retention.js";
import { Service } from "./service.js";
import { Tabs } from "./tabs.js";
import { Webhooks } from "./webhooks.js";

const shell = await openShell({ title: "Administration" });

const node = new NodeState(shell);
const tabs = new Tabs(shell, element("tabs"), element("panels"), [
  ["accounts", "Accounts", new Accounts(shell)],
  ["service", "Service", new Service(shell)],
  ["messages", "Messages", new Messages(shell)],
  ["retention", "Retention", new Retention(shell)],
  ["keys", "Keys", new Keys(shell)],
  ["webhooks", "Webhooks", new Webhooks(shell)],
  ["health", "Health", new Health(node)],
  ["alarms", "Alarms", new Alarms(node)],
]);
node.addEventListener("news", () => tabs.count("alarms", node.urgency));
node.start();
expose({
  get tab() {
    return tabs.current;
  },
  get health() {
    return node.report;
  },
  get isFresh() {
    return node.isFresh;
  },
});
