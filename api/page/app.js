/** The page: what is asked, in the address and on the screen, and what happens when it changes. */

/** @import {Adjusting, Answer, Filters, Hit, Query, Understood} from "./types.js" */
/** @import {Knowledge} from "./catalog.js" */

import { ApiError, getImage, getProduct } from "./api.js";
import { learn, samples } from "./catalog.js";
import { FilterDrawer, showChips, SortMenu } from "./controls.js";
import { showProvenance } from "./credits.js";
import { Detail } from "./detail.js";
import { byId, clamped, drawIcons, h } from "./dom.js";
import { FacetPanel } from "./facets.js";
import { totalWords } from "./format.js";
import { listenForPhotos, PhotoError, prepare } from "./photo.js";
import { fitGrid } from "./images.js";
import { EntryPlace } from "./place.js";
import { keepPhoto, recallPhotos } from "./query_images.js";
import { Results } from "./results.js";
import { SearchBar } from "./searchbar.js";
import { identity, isBlank, lacksPhoto, NOTHING, question, readAddress, writeAddress } from "./state.js";
import { empty, examples, failure, kinds, nearest, unsure, welcome } from "./states.js";
import { correctionWords, takenFilters } from "./understood.js";

const PHOTO_GONE = "This was a search by a photo that this browser does not have. Choose the photo again to find the same.";

class Page {
  /** @param {Knowledge} known */
  constructor(known) {
    this.known = known;
    this.query = NOTHING;
    /** The identity of the results on the screen. @type {string | null} */
    this.asked = null;
    this.place = new EntryPlace(byId("grid"));
    /** The address is one of a search by a photo that this browser does not have. */
    this.photoGone = false;
    /** What the last change was a step of: steps of one adjustment share an entry of the history. @type {Adjusting} */
    this.adjusting = undefined;
    /** What is asked while the browser goes back, which it does in its own time. @type {[Partial<Query>, Adjusting][] | null} */
    this.meanwhile = null;
    /** The product of `query.like`. @type {Hit | null} */
    this.liked = null;
    /** What was made of the words of a question. @type {{of: string, words: Understood} | null} */
    this.understood = null;
    /** The facets on the screen. */
    this.counts = known.counts;
    /** @type {Promise<Hit[]> | null} */
    this.samples = null;
    const onOpen = (/** @type {string} */ id) => this.ask({ product: id });
    const onLike = (/** @type {string} */ id) => this.like(id);
    this.results = new Results({ onOpen, onLike, onStatus: announce });
    this.detail = new Detail({ onOpen, onLike, onClose: () => this.#closed() });
    this.bar = new SearchBar({
      onTyping: (q) => this.ask({ q }, "words"),
      onSubmit: (q) => this.ask({ q }),
      onRemoveImage: () => this.ask({ photo: null, like: null }),
    });
    this.panel = new FacetPanel(byId("filters"), known.faceted, (field, chosen, adjusting) => {
      const filters = new Map(this.query.filters);
      if (chosen) filters.set(field, chosen);
      else filters.delete(field);
      this.ask({ filters }, adjusting);
    });
    this.sort = new SortMenu(known.fields, known.counts, (sort, adjusting) => this.ask({ sort }, adjusting));
    this.drawer = new FilterDrawer();
    listenForPhotos((file) => this.takePhoto(file, file.name), (words) => showNotices([words]));
    byId("home").addEventListener("click", (/** @type {MouseEvent} */ event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.ask({ ...NOTHING });
      this.bar.focus();
    });
    byId("skip").addEventListener("click", (/** @type {MouseEvent} */ event) => {
      event.preventDefault(); // A jump within the page would be an entry that asks nothing.
      byId("main").focus();
    });
    window.addEventListener("popstate", () => this.read());
  }

  /** Asks what the address asks. */
  read() {
    this.adjusting = undefined;
    this.query = readAddress(location.search, history.state, this.known.kinds);
    this.photoGone = lacksPhoto(location.search, this.query);
    this.place.arrive(identity(this.query) === this.asked);
    this.#show();
    const { meanwhile } = this;
    this.meanwhile = null;
    for (const [change, adjusting] of meanwhile ?? []) this.ask(change, adjusting);
  }

  /**
   * Changes what is asked.
   *
   * @param {Partial<Query>} change
   * @param {Adjusting} [adjusting]
   */
  ask(change, adjusting) {
    // An entry that is made before the browser has gone back would be the one that it leaves.
    if (this.meanwhile) {
      this.meanwhile.push([change, adjusting]);
      return;
    }
    this.place.leave();
    this.photoGone = false;
    const before = this.query;
    // Words that were to be taken as they are written give way to new ones.
    const literal = change.literal ?? (before.literal && change.q === undefined);
    const plain = change.plain ?? (before.plain && change.q === undefined);
    this.query = { ...before, ...change, literal, plain };
    const address = writeAddress(this.query);
    const same = address === writeAddress(before) && this.query.photo === before.photo;
    const betweenProducts = Boolean(before.product && change.product);
    // `opened` remembers that going back closes the details; those that an address opened, it does not.
    const opened = same || betweenProducts ? history.state?.opened : Boolean(change.product);
    const furtherStep = adjusting !== undefined && adjusting === this.adjusting;
    const method = same || betweenProducts || furtherStep ? "replaceState" : "pushState";
    const place = identity(this.query) === this.asked ? history.state?.place : undefined;
    history[method]({ photo: this.query.photo?.key, opened, place }, "", address);
    // A step that changed nothing has no entry that the next could share.
    this.adjusting = same && !furtherStep ? undefined : adjusting;
    this.#show();
  }

  /** @param {string} id */
  like(id) {
    this.ask({ ...NOTHING, filters: this.query.filters, like: id });
    byId("main").focus({ preventScroll: true }); // The card that had the focus is gone.
    window.scrollTo({ top: 0 });
  }

  /** @param {Blob} file @param {string} name */
  async takePhoto(file, name) {
    try {
      this.ask({ photo: keepPhoto(await prepare(file), name), like: null, product: null });
      window.scrollTo({ top: 0 });
    } catch (error) {
      if (!(error instanceof PhotoError)) throw error;
      showNotices([error.message]);
    }
  }

  /** Brings the screen in line with the query. */
  #show() {
    const { query } = this;
    const blank = isBlank(query);
    document.title = query.q.trim() ? `${query.q.trim()} · StoreLens` : "StoreLens";
    document.body.dataset.view = blank ? "start" : "results";
    byId("toolbar").hidden = blank;
    byId("start").hidden = !blank;
    this.#showChips();
    this.sort.update(query);
    this.panel.update(this.counts, query.filters);
    void this.#showLiked();
    void this.#showProduct();
    if (blank) void this.#welcome();
    else if (identity(query) !== this.asked) void this.#run();
  }

  /** The filters, with what words were taken for as long as they are the same. */
  #showChips() {
    const { query, understood } = this;
    const words = understood && understood.of === question(query) ? understood.words : null;
    const taken = words ? takenFilters(words, query, this.known.kinds, (change) => this.ask(change)) : [];
    showChips(query.filters, (/** @type {Filters} */ filters) => this.ask({ filters }), taken);
  }

  async #showLiked() {
    const { like } = this.query;
    if (this.liked?.id !== like) this.liked = null;
    this.bar.update(this.query, this.liked);
    if (!like || this.liked) return;
    const hit = await getProduct(like).catch(() => null); // Its search says what is wrong with it.
    if (hit && this.query.like === like) this.bar.update(this.query, (this.liked = hit));
  }

  async #showProduct() {
    const { product } = this.query;
    if (!product) return this.detail.close();
    const hit = await getProduct(product).catch((/** @type {Error} */ error) => error);
    if (this.query.product !== product) return;
    if (hit instanceof Error) this.detail.fail(hit.message);
    else this.detail.show(hit, this.query, this.known.catalog.attribution);
  }

  /** The details were closed by their button, by Esc or by a click beside them: so is their address. */
  #closed() {
    if (!this.query.product || this.meanwhile) return;
    if (!history.state?.opened) this.ask({ product: null });
    else {
      this.meanwhile = [];
      history.back();
    }
  }

  async #welcome() {
    this.results.clear();
    this.asked = null;
    showNotices(this.photoGone ? [PHOTO_GONE] : []);
    byId("understood").replaceChildren();
    byId("message").replaceChildren();
    this.samples ??= samples(this.known);
    const screen = welcome(this.known, await this.samples, {
      onWords: (q) => this.ask({ q }),
      onImage: async ({ id, images }) => this.takePhoto(await getImage(images[0]), id),
      onChoose: () => byId("choose").click(),
      onBrowse: () => this.ask({ browse: true }),
    });
    byId("start").replaceChildren(screen);
    if (isBlank(this.query)) this.place.return();
  }

  async #run() {
    const { query } = this;
    const { groupBy, faceted } = this.known;
    this.asked = identity(query);
    // What stands above a list stays until there is another one: nothing is to jump while someone types.
    if (!byId("grid").children.length) byId("message").replaceChildren();
    try {
      const facets = faceted.map(({ name }) => name);
      const ran = await this.results.run(query, { facets, groupBy, shown: this.place.returning?.shown });
      if (!ran) return;
      this.#showAnswer(query, ran.answer);
      this.place.return();
      this.counts = new Map([...this.counts, ...ran.answer.facets]);
      this.panel.update(this.counts, query.filters, {
        order: [...ran.answer.facets.keys()],
        of: question(query),
        total: ran.answer.total.value,
      });
    } catch (error) {
      this.asked = null;
      showFailure(error, () => this.#show());
    }
  }

  /** @param {Query} query @param {Answer} answer */
  #showAnswer(query, { hits, total, match, query: understood, notices, took_ms }) {
    const none = match === "none";
    const words = none ? "No match" : totalWords(total);
    byId("total").replaceChildren(h("strong", {}, words), h("span", {}, ` in ${Math.round(took_ms)} ms`));
    this.understood = understood ? { of: question(query), words: understood } : null;
    this.#showChips();
    byId("understood").replaceChildren(...correctionWords(query, understood, (literal) => this.ask({ literal })));
    announce(hits.length && !none ? `${words} found` : "Nothing found");
    showNotices([...(this.photoGone ? [PHOTO_GONE] : []), ...(notices ?? [])]);
    this.drawer.update(query.filters.size, none ? "" : words);
    const actions = {
      onClearFilters: () => this.ask({ filters: new Map() }),
      onClearPhoto: () => this.ask({ photo: null, like: null }),
      onClearWords: () => this.ask({ q: "" }),
      onBrowse: () => this.ask({ ...NOTHING, browse: true }),
      onWords: (/** @type {string} */ q) => this.ask({ ...NOTHING, q }),
    };
    const { counts, hits: some } = this.known;
    if (!hits.length) byId("message").replaceChildren(empty(query, actions));
    else if (none) byId("message").replaceChildren(nearest(query, kinds(counts) ?? examples(counts, some), actions));
    else byId("message").replaceChildren(...(match === "weak" ? [unsure(query)] : []));
  }
}

/** For those who do not see the screen. @param {string} words */
function announce(words) {
  byId("status").textContent = words;
}

/** @param {string[]} words */
function showNotices(words) {
  byId("notices").replaceChildren(...words.map((text) => h("p", {}, clamped(text))));
}

/** @param {unknown} error @param {() => void} retry */
function showFailure(error, retry) {
  byId("total").textContent = "";
  showNotices([]);
  announce("The search failed");
  byId("results").setAttribute("aria-busy", "false");
  byId("message").replaceChildren(failure(error, { onRetry: retry, onRestart: () => location.assign("./") }));
  if (error instanceof ApiError && error.offline) window.addEventListener("online", retry, { once: true });
}

/** Learns the catalog, then asks what the address asks. */
async function start() {
  byId("message").replaceChildren();
  let known;
  try {
    [known] = await Promise.all([learn(), recallPhotos()]);
  } catch (error) {
    showFailure(error, start);
    return;
  }
  showProvenance(known.catalog);
  void fitGrid(known.hits.flatMap(({ images }) => images.slice(0, 1)));
  const ahead = byId("words").value; // Someone may type before there is a page that listens.
  const page = new Page(known);
  page.read();
  if (ahead.trim() && ahead.trim() !== page.query.q.trim()) page.ask({ q: ahead }, "words");
}

drawIcons();
void start();
