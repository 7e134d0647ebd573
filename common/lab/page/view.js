/* What is in view: one range of time for all runs that are shown, counted from the first command of each; what is in
 * focus; and what the reader does to change it. */

const SHORTEST_VIEW = 20; /* microseconds */

/* An element with properties and children; texts become text and never markup. */
function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on") || name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/* Faults are asked for node by node, at nearly one moment: each change once. */
function networkWindows(run) {
  const windows = [];
  let last = null;
  for (const mark of run.marks) {
    if (mark.kind !== run.kind.network) continue;
    const told = describeNetwork(mark.text);
    if (last !== null && told.text === last.text) continue;
    if (last !== null) last.to = mark.t;
    last = {from: mark.t, to: run.span, ...told};
    windows.push(last);
  }
  return windows.every(({text}) => text === word("net_good")) ? [] : windows;
}

function describeNetwork(line) {
  let told;
  try {
    told = JSON.parse(line.slice(line.indexOf("{")));
  } catch {
    return {text: "", cut: false};
  }
  const parts = [];
  if (typeof told.delay_ms === "string" && !/^0(-0)?$/.test(told.delay_ms)) {
    parts.push(word("net_delay", told.delay_ms.replace("-", "–").slice(0, 40)));
  }
  if (told.loss > 0) parts.push(word("net_loss", formatShare(told.loss)));
  if (told.duplicate > 0) parts.push(word("net_duplicate", formatShare(told.duplicate)));
  const cut = typeof told.partition === "string" && told.partition !== "";
  if (cut) parts.push(word("net_cut", isolated(told.partition.slice(0, 200))));
  return {text: parts.length > 0 ? parts.join(" · ") : word("net_good"), cut};
}

class View {
  constructor() {
    this.from = 0;
    this.to = 1;
    this.clients = true;
    this.panels = [];
    this.focus = new Map(); /* by run: {verdict, evidence, commands} */
    this.hovered = this.pinned = null; /* {run, rank, command, same} */
    this.query = "";
    this.windows = new Map();
  }

  windowsOf(run) {
    if (!this.windows.has(run)) this.windows.set(run, networkWindows(run));
    return this.windows.get(run);
  }

  focusOf(run) {
    const [owner, focus] = [...this.focus][0] ?? [null, null];
    const followed = (focus?.commands ?? []).map((command) => ({run: owner, ...command}));
    for (const at of [this.hovered, this.pinned]) {
      if (at === null || at.command === null) continue;
      if (!followed.some((one) => one.run === at.run && one.number === at.command.number)) {
        followed.push({run: at.run, number: at.command.number, same: at.same});
      }
    }
    const query = this.query.toLowerCase();
    return {
      evidence: owner === run ? focus.evidence : [],
      follows: followed.length > 0,
      dims: followed.length > 0 || query !== "",
      searching: query !== "",
      placeOf: (where, command) => followed.findIndex((one) => one.run === where ? one.number === command.number
        : one.same === where.tellCommand(command)),
      matches: (command) => query !== "" && matchesQuery(command, query),
    };
  }

  /* Where the diagrams begin, to the right of the longest name. */
  margin() {
    return 24 + Math.max(30, ...this.panels.map(({drawing}) => drawing.nameWidth));
  }

  show(from, to) {
    const longest = Math.max(1000, ...this.panels.map(({run}) => run.span)) * 1.2;
    const span = roundRange(SHORTEST_VIEW, longest, to - from);
    const middle = (from + to) / 2;
    const first = Math.min(...this.panels.map(({run}) => -run.origin)) - longest * 0.1;
    const last = Math.max(...this.panels.map(({run}) => run.span - run.origin)) + longest * 0.1;
    const centre = roundRange(Math.min(first + span / 2, (first + last) / 2), Math.max(last - span / 2, (first + last) / 2), middle);
    [this.from, this.to] = [centre - span / 2, centre + span / 2];
    return this.refresh();
  }

  showAll() {
    const from = Math.min(...this.panels.map(({run}) => -run.origin));
    const to = Math.max(...this.panels.map(({run}) => run.span - run.origin));
    const pad = (to - from) * 0.02 + 10;
    return this.show(from - pad, to + pad);
  }

  zoom(factor, at = (this.from + this.to) / 2) {
    return this.show(at - (at - this.from) * factor, at + (this.to - at) * factor);
  }

  pan(share) {
    const step = (this.to - this.from) * share;
    return this.show(this.from + step, this.to + step);
  }

  /* Loads what the range needs, if that is not too much, and draws. */
  async refresh() {
    this.redraw();
    const wanted = [];
    for (const {run} of this.panels) {
      const numbers = run.blocksBetween(this.from + run.origin, this.to + run.origin);
      if (numbers.length <= BLOCKS_AT_ONCE) {
        for (const number of numbers) if (!run.loaded.has(number)) wanted.push(run.load(number));
      }
    }
    if (wanted.length > 0) {
      await Promise.all(wanted);
      this.redraw();
    }
  }

  /* At most once for each picture that the screen shows. */
  redraw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => this.drawNow());
  }

  drawNow() {
    this.asked = false;
    for (const panel of this.panels) panel.draw();
  }

  /* Goes to the counterexample of a verdict; the range holds its proof in every run that is shown. */
  async focusVerdict(run, verdict) {
    const found = run.verdicts[verdict];
    const ranks = found.evidence.map(({event}) => event);
    await Promise.all([...new Set(ranks.map((rank) => Math.floor(rank / run.block)))].map((number) => run.load(number)));
    const commands = [];
    for (const rank of ranks) {
      const [block, i] = run.find(rank);
      const command = run.commandOf(block, i);
      if (command !== null && !commands.some(({number}) => number === command.number)) {
        commands.push({number: command.number, same: run.tellCommand(command)});
      }
    }
    this.focus.clear();
    this.focus.set(run, {verdict, evidence: ranks, commands: commands.slice(0, 3)});
    const about = found.evidence.filter(({event}) => run.commandOf(...run.find(event)) !== null); /* not a stop, much later */
    const [low, high] = await this.rangeOf(run, (about.length > 0 ? about : found.evidence).map(({t}) => t - run.origin));
    const pad = Math.max(2000, (high - low) * 0.12);
    await this.show(low - pad, high + pad);
    this.panels.forEach((panel) => panel.tellFocus());
  }

  /* The proof, and as far as that does not make it small, all that became of its commands, in every run that is shown. */
  async rangeOf(run, proof) {
    const most = Math.max(20000, (Math.max(...proof) - Math.min(...proof)) * 5);
    const focus = this.focusOf(run);
    let [low, high] = [Math.min(...proof), Math.max(...proof)];
    for (const panel of [...this.panels].sort((a, b) => (b.run === run) - (a.run === run))) {
      const from = low - most + panel.run.origin, to = high + most + panel.run.origin;
      const numbers = panel.run.blocksBetween(from, to).slice(0, BLOCKS_AT_ONCE);
      await Promise.all(numbers.map((number) => panel.run.load(number)));
      panel.drawing.each(from, to, (block, i) => {
        const command = panel.run.commandOf(block, i), t = block.t[i] - panel.run.origin;
        if (command === null || focus.placeOf(panel.run, command) < 0) return;
        if (Math.max(high, t) - Math.min(low, t) <= most) [low, high] = [Math.min(low, t), Math.max(high, t)];
      });
    }
    return [low, high];
  }

  unfocus() {
    this.focus.clear();
    this.hovered = this.pinned = null;
    this.panels.forEach((panel) => { panel.tellFocus(); panel.tellPinned(); });
    this.redraw();
  }

  point(at) {
    if (at?.rank === this.hovered?.rank && at?.run === this.hovered?.run) return;
    this.hovered = at;
    this.redraw();
  }

  pin(at) {
    this.pinned = at;
    this.panels.forEach((panel) => panel.tellPinned());
    this.redraw();
  }
}

function matchesQuery(command, query) {
  return [command.uuid, command.key, command.value, command.sender]
    .some((text) => text !== null && text.toLowerCase().includes(query));
}

/* ---- what the reader does on a canvas ---- */

class Pointing {
  constructor(panel) {
    this.panel = panel;
    const canvas = panel.canvas;
    canvas.addEventListener("wheel", (event) => this.wheel(event), {passive: false});
    canvas.addEventListener("pointerdown", (event) => this.down(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.up(event));
    canvas.addEventListener("pointerleave", () => this.leave());
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("dblclick", (event) => this.panel.view.zoom(0.4, this.timeAt(event)));
  }

  timeAt(event) {
    return this.panel.drawing.t(event.offsetX) - this.panel.run.origin;
  }

  wheel(event) {
    event.preventDefault();
    const view = this.panel.view;
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
    if (sideways) view.pan((event.deltaX || event.deltaY) / 1000);
    else view.zoom(Math.exp(roundRange(-300, 300, event.deltaY) / 400), this.timeAt(event));
  }

  down(event) {
    this.panel.canvas.setPointerCapture(event.pointerId);
    this.drag = {x: event.offsetX, from: this.panel.view.from, to: this.panel.view.to, moved: false};
  }

  move(event) {
    if (this.drag === undefined) {
      this.panel.hover(event.offsetX, event.offsetY);
      return;
    }
    const moved = event.offsetX - this.drag.x;
    if (Math.abs(moved) > 3) this.drag.moved = true;
    if (!this.drag.moved) return;
    const shift = moved / this.panel.drawing.width * (this.drag.to - this.drag.from);
    this.panel.view.show(this.drag.from - shift, this.drag.to - shift);
  }

  up(event) {
    if (this.drag !== undefined && !this.drag.moved) this.panel.pinAt(event.offsetX, event.offsetY);
    this.drag = undefined;
  }

  leave() {
    this.panel.hideTip();
    this.panel.view.point(null);
  }

  key(event) {
    const view = this.panel.view;
    const actions = {ArrowLeft: () => view.pan(-0.15), ArrowRight: () => view.pan(0.15), "+": () => view.zoom(0.7),
                     "=": () => view.zoom(0.7), "-": () => view.zoom(1.4), 0: () => view.showAll(), Escape: () => view.unfocus()};
    if (actions[event.key] === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  }
}
