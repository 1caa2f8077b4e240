/** The HTTP API: requests, its errors, and the key where the server has one. */

/** @import {Answer, Catalog, Hit, Photo} from "./types.js" */

import { askForKey } from "./key.js";

const KEY = "storelens.key";
/** @type {Promise<void> | null} One question at a time, however many requests were refused. */
let asking = null;
/** Images fetched with the key, as addresses an <img> can show. @type {Map<string, Promise<string>>} */
const images = new Map();
/** Products of this visit, so that opening one needs no request. @type {Map<string, Hit>} */
const seen = new Map();

/** What a status means at this page; the problem's own title is the protocol's word for it. */
const TITLES = /** @type {Record<number, string>} */ ({
  404: "That is not in the catalog",
  413: "That is too large",
  415: "That photo can’t be read",
  422: "The search was not understood",
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
  const answer = await (await send(...searchCall(request, photo, signal))).json();
  if (!Array.isArray(answer?.hits)) throw new ApiError("This is not an answer", "The server sent something else.");
  for (const hit of answer.hits) seen.set(hit.id, hit);
  return { ...answer, facets: new Map(Object.entries(answer.facets ?? {})) };
}

/** @param {Record<string, any>} request @param {Photo | null} photo @param {AbortSignal} [signal]
 *  @returns {[string, RequestInit]} */
function searchCall(request, photo, signal) {
  if (!photo) {
    const headers = { "Content-Type": "application/json" };
    return ["v1/search", { method: "POST", headers, body: JSON.stringify(request), signal }];
  }
  const form = new FormData();
  form.append("request", JSON.stringify(request));
  form.append("file", photo.file, photo.name);
  return ["v1/search/image", { method: "POST", body: form, signal }];
}

/** @param {string} id @returns {Promise<Hit>} */
export async function getProduct(id) {
  const known = seen.get(id);
  if (known) return known;
  const hit = await (await send(`v1/products/${encodeURIComponent(id)}`, {})).json();
  seen.set(id, hit);
  return hit;
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
