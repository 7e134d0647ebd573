/* Puts the page together, and together again when its reader chooses other runs. */

const LEGEND = [["send", "l_send"], ["receive", "l_receive"], ["deliver", "l_deliver"], ["message", "l_message"],
                ["lost", "l_lost"], ["repeated", "l_repeated"], ["wait", "l_wait"], ["operation", "l_operation"],
                ["crash", "l_crash"], ["pause", "l_pause"], ["elect", "l_elect"], ["recover", "l_recover"],
                ["evidence", "l_evidence"], ["network", "l_network"], ["cut", "l_cut"], ["density", "l_dense"]];

class Page {
  constructor(runs, matrix) {
    this.runs = runs;
    this.matrix = matrix;
    this.view = new View();
    this.shown = matrix === null ? runs.slice(0, 2) : [mostInstructive(runs, matrix)];
    this.wide = false;
    this.element = document.getElementById("page");
  }

  /* ---- parts that stay ---- */

  header() {
    const theme = make("button", {type: "button", id: "theme", title: word("theme"), onclick: () => this.turnTheme()}, "◐");
    theme.setAttribute("aria-label", word("theme"));
    return make("header", {}, make("div", {}, make("h1", {}, word("title")), make("p", {className: "lead"}, word("lead"))),
      make("div", {className: "tools"}, theme, make("button", {type: "button", onclick: () => window.print()}, word("print"))));
  }

  turnTheme() {
    const root = document.documentElement;
    root.dataset.theme = isDark() ? "light" : "dark";
    this.view.redraw();
    this.drawLegend();
  }

  chooser() {
    if (this.runs.length < 2) return "";
    const select = (id, chosen, empty, pick) => {
      const options = this.runs.map((run, i) => make("option", {value: String(i), selected: run === chosen}, run.name));
      if (empty) options.unshift(make("option", {value: "", selected: chosen === undefined}, word("nothing")));
      return make("select", {id, onchange: (event) => pick(this.runs[event.target.value])}, ...options);
    };
    return make("nav", {className: "tools", id: "chooser"},
      make("label", {}, word("run"), " ", select("first", this.shown[0], false, (run) => this.choose([run, this.shown[1]]))),
      make("label", {}, word("compare_with"), " ", select("second", this.shown[1], true, (run) => this.choose([this.shown[0], run]))),
      this.shown.length > 1 ? make("button", {type: "button", id: "layout", onclick: () => this.turnLayout()}, word("side_by_side")) : "");
  }

  turnLayout() {
    this.wide = !this.wide;
    document.getElementById("panels").classList.toggle("beside", this.wide);
    this.view.redraw();
  }

  async choose(runs) {
    this.shown = [...new Set(runs.filter((run) => run !== undefined))];
    this.view.unfocus();
    this.view.focus.clear();
    await this.build();
    await this.firstView();
  }

  /* ---- the diagram's tools ---- */

  diagram() {
    const button = (id, text, title, go) => make("button", {type: "button", id, title, onclick: go}, text);
    this.search = make("input", {type: "search", id: "search", placeholder: word("search"), size: 34,
                                 oninput: () => this.startSearch(), onkeydown: (event) => { if (event.key === "Enter") this.nextFound(event.shiftKey ? -1 : 1); }});
    this.search.setAttribute("aria-label", word("search"));
    this.foundText = make("output", {className: "found"});
    const clients = make("input", {type: "checkbox", checked: this.view.clients,
                                   onchange: (event) => { this.view.clients = event.target.checked; this.view.redraw(); }});
    const hasClients = this.shown.some((run) => run.processes.some(({role}) => role === "client"));
    this.legend = make("div", {className: "legend"});
    return section("diagram", make("p", {className: "lead"}, word("diagram_note")),
      make("div", {className: "tools", id: "tools"},
        button("zoom-in", "+", word("zoom_in"), () => this.view.zoom(0.6)), button("zoom-out", "−", word("zoom_out"), () => this.view.zoom(1.6)),
        button("all", word("all"), word("all"), () => { this.view.unfocus(); this.view.showAll(); }), this.counterexamples(),
        make("span", {className: "searching"}, this.search,
          button("previous", "◀", word("previous"), () => this.nextFound(-1)), button("next", "▶", word("next"), () => this.nextFound(1)),
          this.foundText),
        hasClients ? make("label", {className: "choice"}, clients, " ", word("clients")) : ""),
      make("div", {id: "panels", className: this.wide ? "beside" : ""}, ...this.view.panels.map(({element}) => element)), this.legend);
  }

  counterexamples() {
    const choices = this.shown.flatMap((run) => run.verdicts.flatMap((verdict, i) =>
      verdict.outcome === "violated" && verdict.evidence.length > 0 ? [{run, i, title: verdict.title}] : []));
    if (choices.length === 0) return "";
    const options = choices.map(({run, title}, k) => make("option", {value: String(k)}, this.shown.length > 1 ? `${run.name}: ${title}` : title));
    const select = make("select", {id: "counterexample", onchange: (event) => {
      const choice = choices[event.target.value];
      if (choice !== undefined) this.view.focusVerdict(choice.run, choice.i);
    }}, make("option", {value: ""}, "–"), ...options);
    this.choices = {select, choices};
    return make("label", {}, word("counterexample"), " ", select);
  }

  drawLegend() {
    this.legend.replaceChildren(...LEGEND.map(([kind, text]) => {
      const canvas = make("canvas", {});
      drawSample(canvas, kind);
      return make("span", {className: "sample"}, canvas, " ", word(text));
    }));
  }

  /* ---- search ---- */

  async startSearch() {
    this.view.query = this.search.value.trim();
    const query = this.view.query.toLowerCase();
    this.found = [];
    this.at = -1;
    this.view.redraw();
    this.foundText.textContent = query === "" ? "" : word("searching");
    for (const run of this.shown) {
      for (let number = 0; query !== "" && number < run.blocks.length; number++) {
        const block = await run.load(number);
        if (query !== this.view.query.toLowerCase()) return; /* the reader types on */
        this.collectFound(run, block, query);
      }
    }
    this.tellFound();
  }

  collectFound(run, block, query) {
    const matching = block.commands.map((command) => matchesQuery(command, query));
    for (let i = 0; i < block.count; i++) {
      if (block.command[i] >= 0 && matching[block.command[i]]) this.found.push([run, block.first + i]);
    }
  }

  tellFound() {
    const count = this.found?.length ?? 0;
    this.foundText.textContent = this.view.query === "" ? "" : count === 0 ? word("found_none")
      : word("found", formatNumber(this.at + 1), formatNumber(count));
  }

  async nextFound(step) {
    if (!(this.found?.length > 0)) return;
    this.at = (this.at + step + this.found.length) % this.found.length;
    this.tellFound();
    await this.showEvent(...this.found[this.at]);
  }

  /* ---- going somewhere ---- */

  async showEvent(run, rank) {
    const block = await run.load(Math.floor(rank / run.block));
    const i = rank - block.first, t = block.t[i] - run.origin;
    const half = Math.min((this.view.to - this.view.from) / 2, 60000);
    const panel = this.view.panels.find((one) => one.run === run);
    await this.view.show(t - half, t + half);
    this.view.pin(panel.placeOf({block, i}));
    document.getElementById("diagram").scrollIntoView({block: "start"});
  }

  async showVerdict(run, verdict) {
    if (!this.shown.includes(run)) await this.choose([run, undefined]);
    await this.view.focusVerdict(run, verdict);
    this.choices.select.value = String(this.choices.choices.findIndex((choice) => choice.run === run && choice.i === verdict));
    document.getElementById("diagram").scrollIntoView({block: "start"});
  }

  async showRun(run) {
    await this.choose([run, undefined]);
    document.getElementById("diagram").scrollIntoView({block: "start"});
  }

  /* The most instructive thing first. */
  async firstView() {
    const order = ["total_order", "convergence", "linearizable_reads", "causal_order", "fifo", "gap_free_seq", "delivery", "one_primary"];
    for (const run of this.shown) {
      for (const name of [...order, ...run.verdicts.map((verdict) => verdict.name)]) {
        const i = run.verdicts.findIndex((verdict) => verdict.name === name);
        if (i >= 0 && run.verdicts[i].outcome === "violated" && run.verdicts[i].evidence.length > 0) {
          await this.view.focusVerdict(run, i);
          this.choices.select.value = String(this.choices.choices.findIndex((choice) => choice.run === run && choice.i === i));
          return;
        }
      }
    }
    await this.view.showAll();
  }

  async build() {
    this.view.panels = this.shown.map((run) => new Panel(this.view, run));
    this.element.replaceChildren(this.header(), this.matrix === null ? "" : matrixSection(this, this.matrix), this.chooser(),
      guaranteeTable(this, this.shown), this.diagram(), stateSection(this, this.shown), orderSection(this, this.shown),
      priceSection(this, this.shown));
    this.drawLegend();
  }
}

function isDark() {
  return (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
}

/* What tests and curious readers may look at: what is drawn now. Nothing here changes anything. */
function inspect(page) {
  return {
    get runs() {
      return page.view.panels.map(({run, drawn, drawing}) => ({name: run.name, drawn: {...drawn}, inView: drawing.inView, events: run.events,
        lanes: drawing.lanes.map(({name, y}) => ({name, y})), loaded: [...run.loaded.keys()],
        marks: drawing.marks.slice(0, 5000).map(({x, y, block, i}) => ({x, y, rank: block.first + i, kind: run.kinds[block.kind[i]]}))}));
    },
    get view() { return {from: page.view.from, to: page.view.to}; },
    get pinned() { return page.view.pinned?.line.text ?? null; },
    get hovered() { return page.view.hovered?.line.text ?? null; },
    get found() { return page.found?.length ?? 0; },
    get theme() { return isDark() ? "dark" : "light"; },
    lines: async (number) => {
      const run = page.view.panels[number].run, all = [];
      for (let b = 0; b < run.blocks.length; b++) {
        const block = await run.load(b);
        for (let i = 0; i < block.count; i++) all.push(run.line(block, i).text);
      }
      return all;
    },
    ready: true,
  };
}

async function start() {
  if (typeof DecompressionStream === "undefined") {
    const texts = {};
    document.getElementById("page").textContent = texts.old_browser ?? "DecompressionStream";
    return;
  }
  words = await inflateJson("words");
  try {
    const page = new Page(await loadRuns(), await inflateJson("matrix"));
    await page.build();
    await page.firstView();
    page.view.drawNow();
    window.addEventListener("resize", () => page.view.redraw());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { page.view.redraw(); page.drawLegend(); });
    window.addEventListener("beforeprint", () => page.view.drawNow());
    window.ordem = Object.freeze(Object.defineProperties({}, Object.getOwnPropertyDescriptors(inspect(page))));
  } catch (error) {
    document.getElementById("page").append(make("p", {className: "told bad"}, word("broken", String(error))));
    throw error;
  }
}

start();
