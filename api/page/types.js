/**
 * The shapes of the HTTP API that the page uses (see /openapi.json), for the JSDoc of the other modules.
 *
 * @typedef {{leg: string, score: number, normalized: number, weight: number, rank: number}} Leg
 * @typedef {{legs: Leg[], exact?: "id" | "code" | "title" | "part", matched_terms: string[]}} Explanation
 * @typedef {{value?: Value, siblings: number, sibling_ids: string[]}} Group
 * @typedef {{id: string, score: number, product: Record<string, any>, images: string[], picture?: number, group?: Group, tail?: boolean, explain?: Explanation}} Hit
 * @typedef {string | number | boolean} Value
 * @typedef {{field: string, values: {value: Value, count: number}[], min?: number, max?: number, missing: number}} Facet
 * @typedef {Map<string, Facet>} Facets By field. Catalogs name fields as they like, `constructor` too: never an object.
 * @typedef {{text: string, corrected?: string, expanded?: {word: string, synonyms: string[]}[]}} Understood
 * @typedef {{hits: Hit[], total: {value: number, relation: "eq" | "gte"}, facets: Facets,
 *   match?: "good" | "weak" | "none" | "uncalibrated", next_cursor?: string, query?: Understood, notices: string[], took_ms: number}} Answer
 * @typedef {"keyword" | "integer" | "float" | "bool"} Kind
 * @typedef {{name: string, kind: Kind}} Field
 * @typedef {{collection: string, generation: string, products: number,
 *   model: {model: string, label: string, dimension: number}, fields: Field[], attribution?: string | null}} Catalog
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
 *   browse: boolean, literal: boolean, product: string | null}} Query `product` is the one whose details are open.
 */

export {};
