/** The HTTP API: requests, its errors, and the key where the server has one. */

/** @import {Answer, Catalog, Classified, Hit, Moderated, Photo, Waiting} from "./types.js" */

import { askForKey } from "./key.js";

const KEY = "storelens.key";
/** Hits of one request. */
export const MOST_AT_ONCE = 100;
/** @type {Promise<void> | null} One question at a time, however many requests were refused. */
let asking = null;
/** Images fetched with the key, as addresses an <img> can show. @type {Map<string, Promise<string>>} */
const images = new Map();
/** Products of this visit, so that opening one needs no request. @type {Map<string, Hit>} */
const seen = new Map();

/** What a status means at this page; the problem's own title is the protocol's word for it. */
const TITLES = /** @type {Record<number, string>} */ ({
  404: "That is not in the catalog",
  412: "Somebody else has changed it meanwhile",
  413: "That is too large",
  415: "That photo can’t be read",
  422: "That was not understood",
  503: "The catalog can’t be searched right now",
});

/** A request that failed, in words for the person at the page. */
export class ApiError extends Error {
  /**
   * @param {string} title
   * @param {string} detail
   * @param {{status?: number, errors?: {field?: string, message: string}[]}} [more] No status: no answer at all.
   */
  constructor(title, detail, { status, errors = [] } = {}) {
    super(detail || title);
    this.title = title;
    this.status = status;
    this.errors = errors;
  }

  get offline() {
    return this.status === undefined;
  }
}

/** @returns {Promise<Catalog>} */
export async function getCatalog() {
  return (await send("v1/catalog", {})).json();
}

/**
 * @param {Record<string, any>} request A SearchRequest.
 * @param {Photo | null} photo
 * @param {AbortSignal} [signal]
 * @returns {Promise<Answer>}
 */
export async function search(request, photo, signal) {
  const answer = await (await send(...callOf("v1/search", request, photo, signal))).json();
  if (!Array.isArray(answer?.hits)) throw new ApiError("This is not an answer", "The server sent something else.");
  for (const hit of answer.hits) seen.set(hit.id, hit);
  return { ...answer, facets: new Map(Object.entries(answer.facets ?? {})) };
}

/**
 * @param {string} address
 * @param {Record<string, any>} request
 * @param {{file: Blob, name: string} | null} photo
 * @param {AbortSignal} [signal]
 * @returns {[string, RequestInit]}
 */
function callOf(address, request, photo, signal) {
  if (!photo) {
    const headers = { "Content-Type": "application/json" };
    return [address, { method: "POST", headers, body: JSON.stringify(request), signal }];
  }
  const form = new FormData();
  form.append("request", JSON.stringify(request));
  form.append("file", photo.file, photo.name);
  return [`${address}/image`, { method: "POST", body: form, signal }];
}

/**
 * Labels of an image.
 *
 * @param {Record<string, any>} request A ClassifyRequest.
 * @param {{file: Blob, name: string}} image
 * @param {AbortSignal} [signal]
 * @returns {Promise<Classified>}
 */
export async function classify(request, image, signal) {
  return (await send(...callOf("v1/classify", request, image, signal))).json();
}

/**
 * What a policy, or rules, decide of products.
 *
 * @param {Record<string, any>} request A ModerateRequest.
 * @param {AbortSignal} signal
 * @returns {Promise<Moderated>}
 */
export async function moderate(request, signal) {
  return (await send(...callOf("v1/moderate", request, null, signal))).json();
}

/** @typedef {"label-sets" | "policies"} DocumentKind */

/** @param {DocumentKind} kind @returns {Promise<string[]>} Their names. */
export async function listDocuments(kind) {
  const { documents } = await (await send(`v1/documents/${kind}`, {})).json();
  return documents.map((/** @type {{name: string}} */ { name }) => name);
}

/** @param {DocumentKind} kind @param {string} name @returns {Promise<{body: any, tag: string}>} `tag` names its version. */
export async function readDocument(kind, name) {
  const response = await send(documentAddress(kind, name), {});
  return { body: await response.json(), tag: response.headers.get("ETag") ?? "" };
}

/**
 * Writes a document, unless somebody has written it since.
 *
 * @param {DocumentKind} kind
 * @param {string} name
 * @param {any} body
 * @param {string | null} tag Of the version that is replaced; null for a new one.
 * @returns {Promise<{version: number, tag: string}>}
 */
export async function writeDocument(kind, name, body, tag) {
  const headers = { "Content-Type": "application/json", ...(tag ? { "If-Match": tag } : { "If-None-Match": "*" }) };
  const response = await send(documentAddress(kind, name), { method: "PUT", headers, body: JSON.stringify(body) });
  return { version: (await response.json()).version, tag: response.headers.get("ETag") ?? "" };
}

/** @param {DocumentKind} kind @param {string} name @param {string} tag */
export async function deleteDocument(kind, name, tag) {
  await send(documentAddress(kind, name), { method: "DELETE", headers: { "If-Match": tag } });
}

/** @param {DocumentKind} kind @param {string} name */
const documentAddress = (kind, name) => `v1/documents/${kind}/${encodeURIComponent(name)}`;

/**
 * Products that somebody is to look at, the surest first.
 *
 * @param {string} action
 * @param {string | undefined} cursor
 * @returns {Promise<{products: Waiting[], total: number, next_cursor?: string}>}
 */
export async function getQueue(action, cursor) {
  const params = new URLSearchParams({ action, limit: "50", ...(cursor && { cursor }) });
  return (await send(`v1/moderation/queue?${params}`, {})).json();
}

/**
 * Says what every product is by a label set, and writes that.
 *
 * @param {string} name
 * @returns {Promise<{products: number, changed: number, labels: Record<string, number>, disagreements?: import("./types.js").Disagreements}>}
 */
export async function labelCatalog(name) {
  return (await send(...callOf("v1/classify/catalog", { label_set: name }, null))).json();
}

/**
 * Holds the whole catalog to a policy, and writes what it decides.
 *
 * @param {string} policy
 * @returns {Promise<{products: number, review: number, block: number, changed: number, notices: string[]}>}
 */
export async function judgeCatalog(policy) {
  return (await send(...callOf("v1/moderation/judge", { policy }, null))).json();
}

/**
 * Decides as a person, on all of them or none.
 *
 * @param {string} by
 * @param {{id: string, action: string | null}[]} appeals Null takes back what a person decided.
 * @param {boolean} [leaving] The page is about to be left: the request outlives it.
 */
export async function decide(by, appeals, leaving = false) {
  const [address, call] = callOf("v1/moderation/appeals", { by, appeals }, null);
  await send(address, { ...call, keepalive: leaving });
}

/** Asks for another key: the one that is used may not do this. */
export async function changeKey() {
  sessionStorage.setItem(KEY, await askForKey(false));
}

/** @param {string} id @returns {Promise<Hit>} */
export async function getProduct(id) {
  const known = seen.get(id);
  if (known) return known;
  const hit = await (await send(`v1/products/${encodeURIComponent(id)}`, {})).json();
  if (!seen.has(id)) seen.set(id, hit); // A search that was answered meanwhile knows its group as well.
  return seen.get(id);
}

/**
 * The other members of groups, as many as one request gives.
 *
 * @param {Hit[]} hits
 * @param {number} most Of each group.
 * @param {AbortSignal} signal
 * @returns {Promise<Map<string, Hit[]>>} By the hit's id, in the order of the group.
 */
export async function getVariants(hits, most, signal) {
  const of = new Map(hits.map(({ id, group }) => [id, group?.sibling_ids.slice(0, most) ?? []]));
  const missing = [...of.values()].flat().filter((id) => !seen.has(id));
  for (let at = 0; at < missing.length; at += MOST_AT_ONCE) {
    const ids = missing.slice(at, at + MOST_AT_ONCE);
    await search({ filter: { id: ids }, limit: ids.length }, null, signal);
  }
  for (const { id, group } of hits) {
    // A variant that is opened has the same group, seen from its own place.
    for (const other of of.get(id) ?? []) {
      const variant = seen.get(other);
      const sibling_ids = [id, ...(group?.sibling_ids ?? []).filter((one) => one !== other)];
      if (variant && group && !variant.group) seen.set(other, { ...variant, group: { ...group, sibling_ids } });
    }
  }
  return new Map([...of].map(([id, others]) => [id, others.flatMap((other) => seen.get(other) ?? [])]));
}

/** The address of a product's image. @param {string} id @param {number} ordinal */
export const imageAddress = (id, ordinal) => `v1/products/${encodeURIComponent(id)}/images/${ordinal}`;

/** The bytes of a catalog image. @param {string} address */
export async function getImage(address) {
  return (await send(address, {})).blob();
}

/**
 * Shows a catalog image. With a key in use it is fetched with the key, as an <img> cannot send one.
 *
 * @param {HTMLImageElement} img
 * @param {string} address
 */
export function showImage(img, address) {
  if (!sessionStorage.getItem(KEY)) {
    img.src = address;
    return;
  }
  let url = images.get(address);
  if (!url) {
    url = getImage(address).then((blob) => URL.createObjectURL(blob));
    images.set(address, url);
  }
  url.then((ready) => (img.src = ready), () => img.dispatchEvent(new Event("error")));
}

/** @param {string} address @param {RequestInit} init @returns {Promise<Response>} */
async function send(address, init) {
  const key = sessionStorage.getItem(KEY);
  const response = await attempt(address, init, key);
  if (response.ok) return response;
  if (response.status !== 401) throw await problem(response);
  // Another request may have asked, and been given a key, while this one was under way.
  if (key === sessionStorage.getItem(KEY)) {
    asking ??= askForKey(key !== null).then((given) => sessionStorage.setItem(KEY, given)).finally(() => (asking = null));
    await asking;
  }
  init.signal?.throwIfAborted();
  return send(address, init);
}

/** @param {string} address @param {RequestInit} init @param {string | null} key */
async function attempt(address, init, key) {
  const headers = key ? { ...init.headers, Authorization: `Bearer ${key}` } : init.headers;
  try {
    return await fetch(address, { ...init, headers });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError("The server can’t be reached", "Check that it runs and that you are online, then try again.");
  }
}

/** @param {Response} response */
async function problem(response) {
  const body = await response.json().catch(() => ({}));
  const title = TITLES[response.status] ?? body?.title ?? `The server answered ${response.status}`;
  const detail = typeof body?.detail === "string" ? body.detail : "The server did not say why.";
  const errors = Array.isArray(body?.errors) ? body.errors : [];
  return new ApiError(String(title), detail, { status: response.status, errors });
}
