/**
 * The interfaces as the running service describes them: its OpenAPI and AsyncAPI documents, made readable here.
 * @module
 */

import { applyTheme, nextTheme } from "../shared/theme.js";

const element = (id) => document.getElementById(id);
const methods = ["get", "post", "put", "patch", "delete", "head", "options"];

/** Everything that can be found: an entry's element, its group, and the text that is searched. */
const entries = [];

async function start() {
  try {
    const [http, messages] = await Promise.all(["/openapi.json", "/asyncapi.json"].map(load));
    showHTTP(http);
    showMessages(messages);
    element("state").hidden = true;
    search();
    reveal();
  } catch (error) {
    setText("state", `The documents could not be loaded: ${error.message} Reload the page to try again.`);
  }
}

async function load(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered with error ${response.status}.`);
  return response.json();
}

// MARK: HTTP

function showHTTP(document) {
  setText("http-text", document.info?.description ?? "");
  const groups = new Map();
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const method of methods.filter((each) => item[each])) {
      const tag = item[method].tags?.[0] ?? "other";
      groups.set(tag, [...(groups.get(tag) ?? []), [method, path, item[method]]]);
    }
  }
  for (const [tag, routes] of [...groups].sort(([one], [other]) => one.localeCompare(other))) {
    addGroup("http", tag, routes.map(([method, path, route]) => routeEntry(method, path, route, document)));
  }
  element("http").hidden = false;
}

function routeEntry(method, path, route, document) {
  const title = [make("span", { className: "method" }, method.toUpperCase()), make("h4", {}, path)];
  const facts = [
    ["Access", access(route)],
    ["Answers", Object.entries(route.responses ?? {}).filter(([status]) => /^[123]\d\d$/.test(status))
      .map(([status, answer]) => [status, ...Object.keys(answer.content ?? {})].join(" ")).join(", ")],
  ];
  const parameters = (route.parameters ?? []).map((each) => ({
    name: `${each.name} (${each.in})`, schema: each.schema ?? {}, isRequired: each.required, text: each.description,
  }));
  return entry("route", `${method} ${path}`, title, route.summary, [
    factList(facts), ...table("Parameters", parameters), ...requestBody(route.requestBody, document)]);
}

function access(route) {
  const right = route["x-sightline-access"];
  const ways = (route.security ?? []).flatMap((each) => Object.keys(each)).join(" or ");
  if (!ways) return right ?? "everyone";
  return [right, `by ${ways}`].filter(Boolean).join(", ");
}

function requestBody(body, document) {
  if (!body) return [];
  const types = Object.keys(body.content ?? {});
  const schema = resolve(body.content?.["application/json"]?.schema, document);
  if (schema) return table("Body (JSON)", fields(schema, document), "A JSON value without fixed members.");
  return [make("h5", {}, "Body"), make("p", {}, types.join(", "))];
}

// MARK: Messages

function showMessages(document) {
  setText("messages-text", document.info?.description ?? "");
  const groups = new Map();
  for (const message of Object.values(document.components?.messages ?? {})) {
    const isRequest = message["x-sightline-durability"] === undefined;
    const group = isRequest ? "requests" : (message.name ?? "").split(".")[0];
    groups.set(group, [...(groups.get(group) ?? []), message]);
  }
  // Kinds without family stand together, requests first of all.
  const single = [...groups].filter(([name, list]) => name !== "requests" && list.length === 1);
  for (const [name] of single) groups.delete(name);
  if (single.length > 0) groups.set("others", single.flatMap(([, list]) => list));
  const rank = ([name]) => (name === "requests" ? 0 : name === "others" ? 2 : 1);
  const sorted = [...groups].sort((one, other) => rank(one) - rank(other) || one[0].localeCompare(other[0]));
  for (const [name, list] of sorted) addGroup("messages", name, list.map((message) => messageEntry(message, document)));
  element("messages").hidden = false;
}

function messageEntry(message, document) {
  const envelope = resolve(message.payload, document) ?? {};
  const isRequest = message["x-sightline-durability"] === undefined;
  const payload = isRequest ? withoutEnvelope(envelope) : resolve(envelope.properties?.payload, document);
  const facts = [
    ["Durability", message["x-sightline-durability"]],
    ["Sent by", sender(message["x-sightline-sender"])],
    ["Seen by", [message["x-sightline-audience"]].flat().filter(Boolean).join(", ")],
  ];
  return entry("message", message.name, [make("h4", {}, message.name)], message.summary, [
    factList(facts), ...table(isRequest ? "Members" : "Payload", fields(payload ?? {}, document), "No fixed members.")]);
}

function sender(action) {
  if (action === undefined) return "clients";
  return action === "server" ? "the service only" : `clients with the right “${action}”`;
}

function withoutEnvelope({ properties = {}, required = [] }) {
  const { v: _v, kind: _kind, id: _id, ...rest } = properties;
  return { properties: rest, required };
}

// MARK: Parts

function addGroup(section, name, list) {
  const id = `${section}-${name}`;
  const group = make("div", {}, make("h3", { id }, name), ...list.map((each) => each.node));
  element(section).append(group);
  const link = make("a", { href: `#${id}` }, name);
  const item = make("li", {}, link);
  contents(section).append(item);
  for (const each of list) entries.push({ ...each, group, item });
}

function contents(section) {
  const known = element("contents").querySelector(`[data-section="${section}"]`);
  if (known) return known;
  const list = make("ul", {});
  list.dataset.section = section;
  element("contents").append(make("h2", {}, section === "http" ? "HTTP" : "Messages"), list);
  return list;
}

/** One route or message, folded. */
function entry(className, name, title, summary, parts) {
  const node = make(
    "details", { className, id: name.replaceAll(/[^A-Za-z0-9]+/g, "-") },
    make("summary", {}, ...title, make("p", {}, summary ?? "")), make("div", { className: "body" }, ...parts));
  return { node, text: `${name} ${node.textContent}`.toLowerCase() };
}

function factList(facts) {
  const known = facts.filter(([, value]) => value);
  return make("dl", { className: "facts" }, ...known.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

/** A heading and a table of fields; with nothing to show, `none` or nothing at all. */
function table(title, rows, none) {
  if (rows.length === 0) return none ? [make("h5", {}, title), make("p", {}, none)] : [];
  const head = make("tr", {}, ...["Name", "Type", "Meaning"].map((name) => make("th", { scope: "col" }, name)));
  const body = rows.map(({ name, schema, isRequired, text }) => make(
    "tr", {}, make("td", {}, make("span", { className: "name" }, name)),
    make("td", {}, typeWords(schema)),
    make("td", {}, [isRequired ? "Required." : "", text ?? schema.description ?? ""].filter(Boolean).join(" "))));
  const scroller = make("div", { className: "scroller", tabIndex: 0 },
    make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)));
  scroller.setAttribute("role", "group");
  scroller.setAttribute("aria-label", title);
  return [make("h5", {}, title), scroller];
}

/** An object's members, those of objects inside it after it. */
function fields(schema, document, prefix = "", depth = 0) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties ?? {}).flatMap(([name, given]) => {
    const member = resolve(given, document) ?? {};
    const row = { name: prefix + name, schema: member, isRequired: required.has(name), text: member.description };
    const inner = resolve(member.items, document) ?? member;
    const more = depth < 4 && inner.properties ? fields(inner, document, `${prefix}${name}${member.items ? "[]" : ""}.`, depth + 1) : [];
    return [row, ...more];
  });
}

function typeWords(schema) {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => String(value)).join(", ");
  const type = [schema.type ?? "any"].flat().join(" or ");
  if (type === "array") return `array of ${typeWords(schema.items ?? {})}${bounds(schema.minItems, schema.maxItems)}`;
  const range = type === "string" && !schema.format
    ? bounds(schema.minLength, schema.maxLength, " characters") : bounds(schema.minimum, schema.maximum);
  return `${schema.format ?? type}${range}`;
}

function bounds(low, high, unit = "") {
  // The largest number that JSON carries exactly bounds nothing that people think of.
  const top = high >= Number.MAX_SAFE_INTEGER ? undefined : high;
  if (low === undefined && top === undefined) return "";
  if (top === undefined) return `, at least ${low}${unit}`;
  return low === undefined ? `, at most ${top}${unit}` : `, ${low} to ${top}${unit}`;
}

function resolve(schema, document) {
  const path = schema?.$ref;
  if (!path?.startsWith("#/")) return schema;
  return path.slice(2).split("/").reduce((part, name) => part?.[name], document);
}

/**
 * @param {string} name
 * @param {object} properties
 * @param {...(Node | string)} children
 */
function make(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function setText(id, text) {
  if (element(id).textContent !== text) element(id).textContent = text;
}

// MARK: Finding

function search() {
  const wanted = element("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  const alive = new Set();
  for (const { node, text, group } of entries) {
    const isFound = wanted.every((word) => text.includes(word));
    node.hidden = !isFound;
    if (isFound) alive.add(group);
    count += Number(isFound);
  }
  for (const { group, item } of entries) group.hidden = item.hidden = !alive.has(group);
  setText("count", wanted.length === 0 ? `${count} entries` : count === 0 ? "Nothing found" : `${count} found`);
}

/** Opens the entry that the address names. */
function reveal() {
  const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (target instanceof HTMLDetailsElement) target.open = true;
  target?.scrollIntoView();
}

applyTheme();
element("search").addEventListener("input", search);
element("theme").addEventListener("click", nextTheme);
addEventListener("hashchange", reveal);
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isTyping = event.target === element("search");
  if (event.key === "/" && !isTyping) {
    event.preventDefault();
    element("search").focus();
  } else if (event.key === "Escape" && isTyping) {
    element("search").value = "";
    search();
  }
});
start();
