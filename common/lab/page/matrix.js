/* The guarantee matrix: a row for each part, a column for each guarantee, and the price. Made by report_html_matrix.c. */

function matrixCell(page, cell) {
  const mark = make("span", {className: `mark ${cell.outcome}`}, MARKS[cell.outcome]);
  const inside = [mark, cell.text === "" ? "" : make("span", {className: "figure"}, cell.text)];
  const run = page.runs.find(({name}) => name === cell.run);
  const verdict = run === undefined ? -1 : run.verdicts.findIndex(({name}) => name === cell.verdict);
  const goes = cell.outcome === "violated" && run !== undefined;
  const go = () => verdict >= 0 && run.verdicts[verdict].evidence.length > 0 ? page.showVerdict(run, verdict) : page.showRun(run);
  return make("td", {title: cell.why}, goes
    ? make("button", {type: "button", className: "cell", title: cell.why, onclick: go}, ...inside)
    : make("span", {className: "cell"}, ...inside));
}

/* Messages, two times in microseconds, and a rate. */
function formatPrice(price, column) {
  if (price === null) return "?";
  if (column === 0) return formatNumber(price, 1);
  return column === 3 ? formatNumber(price) : formatTime(Number(price.toPrecision(3)));
}

/* The run that proves the worst: it is shown first. */
function mostInstructive(runs, matrix) {
  const cells = matrix.rows.flatMap((row) => row.cells);
  const proof = cells.find((cell) => cell.verdict === "total_order" && cell.outcome === "violated") ??
    cells.find((cell) => cell.outcome === "violated");
  return runs.find(({name}) => name === proof?.run) ?? runs[0];
}

function matrixSection(page, matrix) {
  const head = make("tr", {}, make("th", {}), ...matrix.columns.map((title) => make("th", {scope: "col"}, title)),
                    ...matrix.priceTitles.map((title) => make("th", {scope: "col", className: "price"}, title)));
  const rows = matrix.rows.map((row) => make("tr", {className: row.built ? "" : "missing"},
    make("th", {scope: "row"}, row.part, make("small", {}, row.built ? row.title : word("not_built"))),
    ...row.cells.map((cell) => matrixCell(page, cell)),
    ...row.prices.map((price, i) => make("td", {className: "price"}, formatPrice(price, i)))));
  return section("matrix", make("p", {className: "lead"}, word("matrix_note")),
    make("div", {className: "scroll"}, make("table", {className: "matrix"}, head, ...rows)));
}
