/**
 * The shapes of the HTTP API that the page uses (see /openapi.json), for the JSDoc of the other modules.
 *
 * @typedef {{leg: string, score: number, normalized: number, weight: number, rank: number}} Leg
 * @typedef {{legs: Leg[], exact?: "id" | "code" | "title" | "text" | "part", matched_terms: string[]}} Explanation
 * @typedef {{value?: Value, siblings: number, sibling_ids: string[]}} Group
 * @typedef {{text: string, marked?: boolean}} Piece
 * @typedef {{id: string, score: number, product: Record<string, any>, images: string[], picture?: number, group?: Group,
 *   tail?: boolean, highlights?: {title?: Piece[], description?: Piece[]}, explain?: Explanation}} Hit
 * @typedef {string | number | boolean} Value
 * @typedef {{gte: number, lt: number, count: number}} Bucket
 * @typedef {{field: string, values: {value: Value, count: number}[], relation?: "eq" | "gte", min?: number, max?: number,
 *   histogram?: Bucket[], missing: number}} Facet
 * @typedef {Map<string, Facet>} Facets By field. Catalogs name fields as they like, `constructor` too: never an object.
 * @typedef {{text: string, corrected?: string, expanded?: {word: string, synonyms: string[]}[], filter?: Record<string, any>,
 *   excluded?: string[]}} Understood
 * @typedef {{hits: Hit[], total: {value: number, relation: "eq" | "gte"}, facets: Facets,
 *   match?: "good" | "weak" | "none" | "uncalibrated", next_cursor?: string, query?: Understood, notices: string[], took_ms: number}} Answer
 * @typedef {"keyword" | "integer" | "float" | "bool"} Kind
 * @typedef {{name: string, kind: Kind}} Field
 * @typedef {{collection: string, generation: string, products: number,
 *   model: {model: string, label: string, dimension: number}, fields: Field[], attribution?: string | null}} Catalog
 *
 * @typedef {{label: string, path?: string[], similarity: number, probability: number}} LabelScore
 * @typedef {{results: {label: string, score: number, labels: LabelScore[], all?: string[]}[], threshold: number | null,
 *   temperature: number, calibration: "given" | "measured" | "background" | "uncalibrated", version?: number,
 *   notices: string[]}} Classified
 * @typedef {"allow" | "review" | "block"} Action
 * @typedef {{rule: string, score: number, threshold: number | null, fired: boolean, action: Action, calibrated: boolean}} RuleScore
 * @typedef {{id: string, action: Action, rules: RuleScore[], by: "image" | "text", appeal?: {action: Action, by: string}}} Decision
 * @typedef {{decisions: Decision[], next_cursor?: string, notices: string[]}} Moderated
 * @typedef {{name: string, prompts?: string[], counter_prompts?: string[], images?: Exemplar[], counter_images?: Exemplar[],
 *   threshold?: number, at_most?: number, action: Action}} Rule
 * @typedef {{product_id?: string, base64?: string}} Exemplar
 * @typedef {{field: string, compared: number, count: number, products: {id: string, title?: string, given: string,
 *   predicted: string, looks_like?: string}[]}} Disagreements
 * @typedef {{id: string, product: Record<string, any>, images: string[], action: Action, judged: Action, policy?: string,
 *   version?: number, rules: RuleScore[], appeal?: {action: Action, by: string, note?: string}}} Waiting
 *
 * @typedef {{values: Value[]}} Choice What is ticked of a field: any of the values.
 * @typedef {{gte?: number, lte?: number}} Span What is left of a number.
 * @typedef {ReadonlyMap<string, Choice | Span>} Filters By field.
 * @typedef {object | string | undefined} Adjusting What a change is a step of: the same for all steps of one adjustment.
 * @typedef {{key: number, file: Blob, name: string, url: string}} Photo
 * @typedef {{shown: number, id?: string, top?: number, focus?: string}} Place How many hits are shown, which one is at the
 *   window's upper edge, at how many pixels from it (none: the start of the page), and which one has the focus.
 * @typedef {{field: string, order: "asc" | "desc"}} Sort
 * @typedef {{q: string, photo: Photo | null, like: string | null, filters: Filters, sort: Sort | null,
 *   browse: boolean, literal: boolean, plain: boolean, product: string | null}} Query `plain`: no words are taken for filters;
 *   `product` is the one whose details are open.
 */

export {};
