// Moves the thresholds of a page: what would be answered otherwise, counted from scores that are in the page. Asks nobody.
"use strict";

for (const root of document.querySelectorAll(".cutoff")) {
  const { columns, rows, choices } = JSON.parse(root.querySelector("script").textContent);
  const slider = root.querySelector("input");
  const said = root.querySelector("output");
  const figures = root.querySelector(".moved");
  const body = root.querySelector("tbody");
  const head = root.querySelector("thead tr");
  const select = root.querySelector("select");

  const cell = (tag, text, scope) => {
    const made = document.createElement(tag);
    if (scope) made.scope = scope;
    const words = document.createElement("bdi");
    words.textContent = text;
    made.append(words);
    return made;
  };

  // A case is [its row, the column it is given from the threshold on, its score]; below, it is given the last column.
  const shown = () => choices[select.value];

  const bounds = () => {
    const scores = [...shown().cases.map(([, , score]) => score), shown().start];
    const [low, high] = [Math.min(...scores), Math.max(...scores)];
    const pad = (high - low) * 0.02 || 0.01;
    Object.assign(slider, { min: low - pad, max: high + pad, step: (high - low + 2 * pad) / 500 });
    slider.value = shown().start;
  };

  const share = (part, whole) => (whole ? (part / whole).toFixed(3) : "–");

  const count = () => {
    const threshold = slider.valueAsNumber;
    const counts = rows.map(() => columns.map(() => 0));
    for (const [row, column, score] of shown().cases) counts[row][score >= threshold ? column : columns.length - 1] += 1;
    said.textContent = threshold.toFixed(4);
    body.replaceChildren(
      ...counts.map((line, i) => {
        const whole = line.reduce((sum, one) => sum + one, 0);
        const tr = document.createElement("tr");
        tr.append(cell("th", rows[i], "row"));
        for (const [j, one] of line.entries()) {
          const td = cell("td", one ? one.toLocaleString("en") : "·");
          td.className = rows[i] === columns[j] ? "right" : "";
          td.style.setProperty("--share", `${whole ? Math.round((one / whole) * 40) : 0}%`);
          tr.append(td);
        }
        return tr;
      }),
    );
    figures.textContent = root.dataset.kind === "labels" ? labels(counts) : policy(counts);
  };

  // The last column is `unknown`; a row that no column is called after has what is of none of the labels.
  const labels = (counts) => {
    const last = columns.length - 1;
    const own = rows.map((name) => columns.slice(0, last).indexOf(name));
    const sum = (line) => line.reduce((total, one) => total + one, 0);
    const known = counts.filter((_, i) => own[i] >= 0);
    const right = counts.reduce((total, line, i) => total + (own[i] >= 0 ? line[own[i]] : 0), 0);
    const answered = counts.reduce((total, line) => total + sum(line.slice(0, last)), 0);
    const strange = counts.filter((_, i) => own[i] < 0);
    const told = strange.reduce((total, line) => total + line[last], 0);
    const unknown = counts.reduce((total, line) => total + line[last], 0);
    const words = [
      `of all known, ${share(right, known.reduce((total, line) => total + sum(line), 0))} are right`,
      `of the answers, ${share(right, answered)}`,
      `unknown ${unknown.toLocaleString("en")}`,
    ];
    if (strange.length) words.push(`of them rightly ${share(told, unknown)}`, `of what is to be unknown found ${share(told, strange.reduce((total, line) => total + sum(line), 0))}`);
    return words.join(" · ");
  };

  // Rows: violates, does not; columns: stopped, let through.
  const policy = ([[right, missed], [wrong]]) =>
    `precision ${share(right, right + wrong)} · recall ${share(right, right + missed)} · F1 ${share(2 * right, 2 * right + wrong + missed)}`;

  for (const name of columns) head.append(cell("th", name, "col"));
  for (const name of Object.keys(choices)) select.append(new Option(name));
  select.addEventListener("change", () => {
    bounds();
    count();
  });
  slider.addEventListener("input", count);
  bounds();
  count();
}
