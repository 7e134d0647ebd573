/* One run's diagram with what belongs to it: the counterexample in words, the line under the pointer, what is pinned, and
 * the whole run in small. */

const SMALL_HEIGHT = 44;
const REACH = 14; /* pixels from a mark that still mean it */

class Panel {
  constructor(view, run) {
    Object.assign(this, {view, run});
    this.canvas = make("canvas", {tabIndex: 0, className: "diagram", role: "img"});
    this.canvas.setAttribute("aria-label", `${word("diagram")}: ${run.name}`);
    this.small = make("canvas", {className: "small"});
    this.tip = make("div", {className: "tip", hidden: true});
    this.story = make("div", {className: "story"});
    this.pinned = make("div", {className: "pinned", hidden: true});
    this.note = make("p", {className: "note"});
    this.element = make("article", {className: "panel"},
      make("h3", {}, make("bdi", {}, run.name), " ", make("small", {}, this.counts())),
      this.story, make("div", {className: "frame"}, this.canvas, this.tip), this.note,
      make("div", {className: "frame"}, this.small), this.pinned);
    this.drawing = new Drawing(this.canvas, run, view);
    this.pointing = new Pointing(this);
    this.small.addEventListener("pointerdown", (event) => this.jump(event));
    this.small.addEventListener("pointermove", (event) => { if (event.buttons === 1) this.jump(event); });
    this.tellFocus();
  }

  counts() {
    const {nodes, commands, deliveries, events} = this.run;
    return [word("nodes", formatNumber(nodes)), word("commands", formatNumber(commands)),
            word("deliveries", formatNumber(deliveries)), word("events", formatNumber(events))].join(" · ");
  }

  draw() {
    this.drawing.view = this.view;
    this.drawing.layOut();
    this.drawn = this.drawing.draw();
    const dense = this.drawing.inView > DETAIL_MOST;
    this.note.textContent = dense && Number.isFinite(this.drawing.inView)
      ? word("window", formatNumber(this.drawing.inView)) : dense ? word("window", formatNumber(this.guess())) : "";
    this.drawSmall();
  }

  /* How many events are in view, out of the counts of the whole run. */
  guess() {
    const from = this.view.from + this.run.origin, to = this.view.to + this.run.origin;
    let sum = 0;
    for (const counts of this.run.overview) {
      const width = (this.run.span + 1) / counts.length;
      counts.forEach((count, bin) => { if ((bin + 1) * width >= from && bin * width <= to) sum += count; });
    }
    return sum;
  }

  /* ---- the whole run in small ---- */

  smallX(t) {
    return 8 + t / Math.max(1, this.run.span) * (this.small.clientWidth - 16);
  }

  drawSmall() {
    const ratio = window.devicePixelRatio || 1, width = this.small.parentElement.clientWidth;
    this.small.style.height = `${SMALL_HEIGHT}px`;
    this.small.width = width * ratio;
    this.small.height = SMALL_HEIGHT * ratio;
    const paper = this.small.getContext("2d"), c = colours();
    paper.setTransform(ratio, 0, 0, ratio, 0, 0);
    const sums = this.run.overview.reduce((all, counts) => counts.map((n, i) => n + (all[i] ?? 0)), []);
    const most = Math.max(1, ...sums);
    paper.fillStyle = c.message;
    paper.globalAlpha = 0.6;
    sums.forEach((sum, bin) => {
      const x = this.smallX(bin / sums.length * this.run.span), height = sum / most * (SMALL_HEIGHT - 16);
      paper.fillRect(x, SMALL_HEIGHT - 6 - height, Math.max(1, width / sums.length), height);
    });
    paper.globalAlpha = 1;
    paper.fillStyle = c.bad;
    for (const verdict of this.run.verdicts) {
      if (verdict.outcome !== "violated") continue;
      for (const {t} of verdict.evidence) paper.fillRect(this.smallX(t) - 0.75, 2, 1.5, 6);
    }
    for (const mark of this.run.marks) {
      if (mark.kind === this.run.kind.kill) paper.fillText("✕", this.smallX(mark.t) - 4, 9);
    }
    const x1 = this.smallX(this.view.from + this.run.origin), x2 = this.smallX(this.view.to + this.run.origin);
    paper.fillStyle = c.send;
    paper.globalAlpha = 0.15;
    paper.fillRect(x1, 1, Math.max(2, x2 - x1), SMALL_HEIGHT - 2);
    paper.globalAlpha = 1;
    paper.strokeStyle = c.send;
    paper.strokeRect(x1, 1, Math.max(2, x2 - x1), SMALL_HEIGHT - 2);
  }

  jump(event) {
    const t = (event.offsetX - 8) / Math.max(1, this.small.clientWidth - 16) * this.run.span - this.run.origin;
    const half = (this.view.to - this.view.from) / 2;
    this.view.show(t - half, t + half);
  }

  /* ---- the mark under the pointer ---- */

  /* Of marks that lie over each other, the one that means most. */
  nearest(x, y) {
    const weight = {[this.run.kind.deliver]: 60, [this.run.kind.send]: 40, [this.run.kind.invoke]: 40, [this.run.kind.receive]: 20};
    let best = null, least = REACH * REACH;
    for (const mark of this.drawing.marks) {
      const distance = (mark.x - x) ** 2 + (mark.y - y) ** 2;
      const score = distance - (weight[mark.block.kind[mark.i]] ?? 0);
      if (distance < REACH * REACH && score < least) [best, least] = [mark, score];
    }
    return best;
  }

  placeOf({block, i}) {
    const command = this.run.commandOf(block, i);
    return {run: this.run, rank: block.first + i, command, same: command === null ? "" : this.run.tellCommand(command),
            line: this.run.line(block, i), title: this.titleOf(block, i)};
  }

  titleOf(block, i) {
    const file = this.run.files[block.file[i]] ?? "";
    return `${word("line_of", isolated(file), formatNumber(block.line[i]))} · ` +
      word("after_start", formatTime(block.t[i] - this.run.origin));
  }

  hover(x, y) {
    const mark = this.nearest(x, y);
    this.canvas.style.cursor = mark === null ? "grab" : "pointer";
    if (mark === null) {
      this.hideTip();
      this.view.point(null);
      return;
    }
    const at = this.placeOf(mark);
    this.view.point(at);
    this.tip.replaceChildren(...tellLine(at));
    this.tip.hidden = false;
    const room = this.canvas.clientWidth - this.tip.offsetWidth - 8;
    this.tip.style.left = `${roundRange(8, Math.max(8, room), mark.x - this.tip.offsetWidth / 2)}px`;
    this.tip.style.top = `${mark.y + 16}px`;
  }

  hideTip() {
    this.tip.hidden = true;
  }

  pinAt(x, y) {
    const mark = this.nearest(x, y);
    this.view.pin(mark === null ? null : this.placeOf(mark));
  }

  tellPinned() {
    const at = this.view.pinned;
    this.pinned.hidden = at === null || at.run !== this.run;
    if (this.pinned.hidden) return;
    this.pinned.replaceChildren(make("strong", {}, word("pinned")), " ",
      make("button", {type: "button", className: "plain", title: word("close"), onclick: () => this.view.pin(null)}, "✕"),
      ...tellLine(at));
  }

  /* ---- the counterexample in words ---- */

  tellFocus() {
    const focus = this.view.focus.get(this.run);
    this.story.hidden = focus === undefined;
    if (focus === undefined) return;
    const verdict = this.run.verdicts[focus.verdict];
    const items = verdict.evidence.map(({file, line, text}) => make("li", {},
      make("div", {className: "proof"}, make("span", {className: "where"}, `${isolated(this.run.files[file] ?? "")}:${line}`),
        make("code", {title: text}, make("bdi", {}, inFewWords(text))))));
    this.story.replaceChildren(
      make("p", {}, make("strong", {}, word("counterexample_of", verdict.title)), ". ", make("bdi", {}, verdict.story)),
      make("ol", {}, ...items));
  }
}

/* A line of the log without what only programs need; as it is, if it is in the form of the screen. */
function inFewWords(line) {
  try {
    const told = JSON.parse(line.slice(line.indexOf("{")));
    const command = told.command_type === undefined ? "" : [told.command_type, told.key ?? ""].join(" ") +
      (told.value === undefined ? "" : `=${JSON.stringify(told.value)}`);
    const rest = ["fault", "delay_ms", "target", "status", "seq", "epoch", "ordem_local", "installed_seq", "latency_us"]
      .filter((name) => told[name] !== undefined).map((name) => `${name}=${told[name]}`);
    return [told.ts.slice(11, 26), told.node, told.event, command, ...rest].filter((text) => text !== "").join("  ");
  } catch {
    return line;
  }
}

function tellLine(at) {
  return [make("div", {className: "where"}, at.title, at.line.rebuilt ? ` · ${word("rebuilt")}` : ""),
          make("code", {}, make("bdi", {}, at.line.text))];
}

/* One entry of the legend, drawn as in the diagram. */
function drawSample(canvas, kind) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = 38 * ratio;
  canvas.height = 18 * ratio;
  const paper = canvas.getContext("2d");
  paper.setTransform(ratio, 0, 0, ratio, 0, 0);
  const drawing = Object.assign(Object.create(Drawing.prototype), {paper, c: colours(), laneHeight: 18, left: 0, width: 38,
    drawn: {}, text() {}});
  const c = drawing.c;
  const samples = {
    message: () => drawing.arrow(4, 3, 34, 15, c.message, 1.2, {}),
    lost: () => drawing.arrow(4, 3, 38, 17, c.lost, 1.6, {lost: true}),
    repeated: () => drawing.arrow(4, 3, 34, 15, c.repeated, 1.6, {repeated: true}),
    wait: () => { paper.globalAlpha = 0.5; paper.fillStyle = c.wait; paper.roundRect(4, 5.5, 30, 7, 3.5); paper.fill(); },
    operation: () => { paper.globalAlpha = 0.35; paper.fillStyle = c.operation; paper.roundRect(4, 4, 30, 10, 5); paper.fill(); },
    crash: () => { drawing.stroke(c.bad, 2.5); drawing.segment(4, 4, 14, 14); drawing.segment(4, 14, 14, 4);
                   drawing.stroke(c.bad, 1.5, [2, 4]); drawing.segment(14, 9, 36, 9); },
    pause: () => drawing.drawPause(4, 34, 9),
    evidence: () => { drawing.stroke(c.bad, 2); paper.arc(19, 9, 7, 0, 7); paper.stroke(); drawing.shape("deliver", 19, 9, null); },
    network: () => { paper.globalAlpha = 0.2; paper.fillStyle = c.wait; paper.fillRect(3, 3, 32, 12); },
    cut: () => { paper.globalAlpha = 0.2; paper.fillStyle = c.bad; paper.fillRect(3, 3, 32, 12); },
    density: () => { paper.fillStyle = c.message; [3, 7, 12, 15, 11, 8, 13, 6].forEach((h, i) => paper.fillRect(4 + i * 4, 9 - h / 2, 3, h)); },
  };
  (samples[kind] ?? (() => drawing.shape(kind, 19, 9, null)))();
}
