/** Building elements. Data only ever becomes text or an attribute, never markup. */

/** @typedef {Node | string | null | undefined | false} Child */

const PROPERTIES = new Set(["checked", "value", "disabled", "hidden", "selected", "open"]);

/**
 * One element.
 *
 * @param {string} tag
 * @param {Record<string, any>} [attributes] Attributes; `on` holds listeners by event, `data` the data-* attributes.
 * @param {...Child} children
 * @returns {any} The element. Untyped on purpose: a caller knows what it asked for.
 */
export function h(tag, attributes = {}, ...children) {
  const element = /** @type {any} */ (document.createElement(tag));
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (PROPERTIES.has(name)) element[name] = value;
    else if (value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const LONG = 60;

/**
 * Text of a catalog, of which a few lines are shown however long it is; pointing at it shows the rest.
 *
 * @param {string} text
 * @param {string} [tag]
 * @param {Record<string, any>} [attributes]
 */
export function clamped(text, tag = "span", attributes = {}) {
  const title = text.length > LONG ? text : null;
  return h(tag, { title, ...attributes, class: `clamp ${attributes.class ?? ""}`.trim() }, text);
}

/**
 * An element of index.html, which is known to be there.
 *
 * @param {string} id
 * @returns {any}
 */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * Listens to a control of many small steps: every key pressed in a slider, a box of a number or a menu is a change.
 *
 * @param {HTMLElement} control
 * @param {(adjusting: object) => void} onChange Is handed the same object for all steps of one adjustment, which lasts
 *   until the control is left or taken hold of anew.
 */
export function adjusts(control, onChange) {
  let adjusting = {};
  for (const event of ["focus", "blur", "pointerdown"]) control.addEventListener(event, () => (adjusting = {}));
  control.addEventListener("change", () => onChange(adjusting));
}

const PATHS = {
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm5 11.5L20.5 20.5",
  close: "M6 6l12 12M18 6 6 18",
  camera: "M4 8h3.2L9 5.5h6L16.8 8H20v11H4ZM12 10a3.4 3.4 0 1 0 0 6.8A3.4 3.4 0 0 0 12 10Z",
  image: "M4 5h16v14H4ZM4 16l4.5-4.5 4 4 2.5-2.5 5 5M15.5 8.2a1.3 1.3 0 1 0 0 2.6 1.3 1.3 0 0 0 0-2.6Z",
  filters: "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.8v4.4M8.5 14.8v4.4",
  similar: "M9 9h11v11H9ZM5 15H4V4h11v1",
  alert: "M12 4 2.8 20h18.4ZM12 10v4.5m0 2.6v.2",
  offline: "M4 4l16 16M5 12.5a10 10 0 0 1 4-2.4m6 .3a10 10 0 0 1 4 2.1M8.3 16a5.5 5.5 0 0 1 7.2-.2M12 19.4v.1",
  tag: "M4 4h8l8.5 8.5-8 8L4 12ZM8 7.2a.8.8 0 1 0 0 1.6.8.8 0 0 0 0-1.6Z",
  arrow: "M5 12h14m-6-6 6 6-6 6",
};

/**
 * A line icon; it says nothing to a screen reader, so the button around it needs a name.
 *
 * @param {keyof typeof PATHS} name
 */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Draws the icons that index.html asks for with data-icon. */
export function drawIcons() {
  for (const element of document.querySelectorAll("[data-icon]")) {
    element.append(icon(/** @type {any} */ (/** @type {HTMLElement} */ (element).dataset.icon)));
  }
}
