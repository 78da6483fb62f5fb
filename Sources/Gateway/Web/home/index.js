/**
 * The page at the root: people with a session go on to the page of their role, everybody else reads what this is.
 * @module
 */

import { element, setText } from "../shared/dom.js";
import { homeOf } from "../shared/shell.js";
import { applyTheme } from "../shared/theme.js";
import { learnService, learnSession } from "./door.js";

applyTheme();

learnSession().then(({ state, role }) => {
  if (state === "open") location.replace(homeOf(role));
});

learnService().then((service) => {
  if (!service) return;
  setText(element("service-name"), service.name);
  document.title = service.name;
});
