/* Guarantees, final states and delivery orders, one column or table for each run that is shown. */

const MARKS = {holds: "✓", violated: "✗", unknown: "?", none: "–"};
const ORDER_ROWS = 40;    /* places of a table of orders */
const STATE_ROWS = 400;   /* keys that are listed at once */

function section(name, ...content) {
  return make("section", {id: name}, make("h2", {}, word(name)), ...content);
}

/* ---- guarantees ---- */

function guaranteeCell(page, run, name) {
  const index = run.verdicts.findIndex((verdict) => verdict.name === name);
  if (index < 0) return make("td", {}, make("span", {className: "mark none"}, MARKS.none)); /* another kind of part */
  const verdict = run.verdicts[index];
  const mark = make("span", {className: `mark ${verdict.outcome}`, title: word(verdict.outcome)}, MARKS[verdict.outcome]);
  const cell = make("td", {}, mark, " ", make("bdi", {}, verdict.finding));
  if (verdict.outcome === "violated" && verdict.evidence.length > 0) {
    cell.append(" ", make("button", {type: "button", className: "go", onclick: () => page.showVerdict(run, index)}, word("show_it")));
  }
  return cell;
}

function guaranteeTable(page, runs) {
  const head = make("tr", {}, make("th", {}, word("guarantee")), ...runs.map((run) => make("th", {}, make("bdi", {}, run.name))));
  const titles = new Map(runs.flatMap((run) => run.verdicts.map(({name, title}) => [name, title])));
  const rows = [...titles].map(([name, title]) => make("tr", {},
    make("th", {scope: "row"}, title), ...runs.map((run) => guaranteeCell(page, run, name))));
  const problems = runs.filter((run) => run.problems.length > 0).map((run) => make("div", {className: "problems"},
    make("strong", {}, word("problems"), runs.length > 1 ? ` (${run.name})` : ""),
    make("ul", {}, ...run.problems.map((problem) => make("li", {}, make("bdi", {}, problem))))));
  return section("guarantees", make("div", {className: "scroll"}, make("table", {className: "verdicts"}, head, ...rows)), ...problems);
}

/* ---- final states ---- */

function stateTable(page, run, onlyDiffering) {
  const names = run.replicas.map((process) => run.processes[process].name);
  const keys = [...run.differing.map((row) => [row, true]), ...(onlyDiffering ? [] : run.agreed.map((row) => [row, false]))];
  if (keys.length === 0) return [];
  const head = make("tr", {}, make("th", {}, word("key")), ...names.map((name) => make("th", {}, name)));
  const rows = keys.slice(0, STATE_ROWS).map(([[key, ...values], differs]) => {
    const most = commonest(values);
    return make("tr", {className: differs ? "differs" : ""}, make("th", {scope: "row"}, make("bdi", {}, key)),
      ...values.map((value) => make("td", {className: differs && (value?.[0] ?? null) !== most ? "odd" : ""},
        make("bdi", {}, value === null ? word("not_set") : value[0]))));
  });
  const all = run.keys[0] + (onlyDiffering ? 0 : run.keys[1]);
  const more = all - rows.length;
  return [make("div", {className: "scroll"}, make("table", {className: "states"}, head, ...rows)),
          ...(more > 0 ? [make("p", {className: "note"}, word("more_keys", formatNumber(more)))] : [])];
}

/* What most replicas hold: the others are the odd ones. */
function commonest(values) {
  const counts = new Map();
  for (const value of values) counts.set(value?.[0] ?? null, (counts.get(value?.[0] ?? null) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0][0];
}

function stateSection(page, runs) {
  const box = make("input", {type: "checkbox"});
  const content = make("div", {className: "columns"});
  const fill = () => content.replaceChildren(...runs.map((run) => {
    const [differing, agreed] = run.keys;
    const told = differing > 0 ? word("states_differ", formatNumber(differing), formatNumber(differing + agreed))
      : agreed > 0 ? word("states_equal", formatNumber(agreed)) : word("states_unknown");
    return make("div", {}, make("h3", {}, make("bdi", {}, run.name)),
      make("p", {className: differing > 0 ? "told bad" : "told"}, told), ...stateTable(page, run, box.checked));
  }));
  box.onchange = fill;
  fill();
  return section("states", make("p", {className: "lead"}, word("states_note")),
                 make("label", {className: "choice"}, box, " ", word("only_differing")), content);
}

/* ---- delivery orders ---- */

class OrderTable {
  constructor(page, run) {
    Object.assign(this, {page, run});
    this.last = Math.max(0, ...run.columns.map(([, , , last]) => last));
    this.first = Math.max(1, (run.parting || 1) - 4);
    this.body = make("div", {className: "scroll"});
    const button = (name, go) => make("button", {type: "button", onclick: go}, word(name));
    this.element = make("div", {}, make("h3", {}, make("bdi", {}, run.name)),
      this.told(),
      make("div", {className: "tools"}, button("earlier", () => this.go(this.first - ORDER_ROWS)),
           button("later", () => this.go(this.first + ORDER_ROWS)),
           ...(run.parting > 0 ? [button("go_parting", () => this.go(run.parting - 4))] : [])), this.body);
    this.go(this.first);
  }

  /* A delivery that is missing shifts what follows; that alone puts no two commands into opposite orders. */
  told() {
    const {parting, verdicts} = this.run;
    if (parting === 0) return make("p", {className: "told"}, word("orders_same"));
    const violated = verdicts.some(({name, outcome}) => name === "total_order" && outcome === "violated");
    return make("p", {className: "told bad"}, word(violated ? "orders_part" : "orders_shift", formatNumber(parting)));
  }

  async go(first) {
    this.first = roundRange(1, Math.max(1, this.last - ORDER_ROWS + 1), first);
    const end = Math.min(this.last, this.first + ORDER_ROWS - 1);
    const found = new Map();
    for (let number = 0; number < this.run.blocks.length; number++) {
      const [, , low, high] = this.run.blocks[number];
      if (low <= end && high >= this.first) this.collect(await this.run.load(number), end, found);
    }
    this.fill(end, found);
  }

  collect(block, end, found) {
    for (let i = 0; i < block.count; i++) {
      if (block.place[i] >= this.first && block.place[i] <= end && block.life[i] >= 0) {
        found.set(`${block.life[i]} ${block.place[i]}`, [block.commands[block.command[i]], block.first + i]);
      }
    }
  }

  fill(end, found) {
    const columns = this.run.columns;
    const title = ([, process, life]) => life > 1 ? word("life", this.run.processes[process].name, life) : this.run.processes[process].name;
    const rows = [make("tr", {}, make("th", {}, word("place")), ...columns.map((column) => make("th", {}, title(column))))];
    for (let place = this.first; place <= end; place++) {
      const cells = columns.map(([life]) => found.get(`${life} ${place}`));
      const told = cells.map((cell) => cell?.[0].uuid ?? null);
      const present = told.filter((uuid) => uuid !== null);
      const differs = new Set(present).size > 1;
      const most = differs ? commonest(present.map((uuid) => [uuid])) : null;
      rows.push(make("tr", {className: `${differs ? "differs" : ""}${place === this.run.parting ? " parting" : ""}`},
        make("th", {scope: "row"}, formatNumber(place)), ...cells.map((cell, i) => this.cell(cell, differs && told[i] !== most))));
    }
    this.body.replaceChildren(make("table", {className: "orders"}, ...rows));
  }

  cell(found, odd) {
    if (found === undefined) return make("td", {className: "empty"}, "");
    const [command, rank] = found;
    return make("td", {className: odd ? "odd" : ""}, make("button", {type: "button", className: "plain",
      onclick: () => this.page.showEvent(this.run, rank)}, make("bdi", {}, this.run.tellCommand(command))));
  }
}

function orderSection(page, runs) {
  return section("orders", make("p", {className: "lead"}, word("orders_note")),
    make("div", {className: "columns"}, ...runs.map((run) => new OrderTable(page, run).element)));
}
