/* The sheet that a space-time diagram is drawn on: where each process's line is, the axis of time, lives and pauses, and
 * what the network was asked for. Time runs to the right. */

const LANE_HEIGHT = 64, LANE_LEAST = 26, LANES_TALL = 700;
const STRIP_HEIGHT = 26, AXIS_HEIGHT = 28;

const NAME_FONT = "600 13px system-ui, sans-serif", NAME_MOST = 150;

/* How wide a name will be. */
const measuring = document.createElement("canvas").getContext("2d");
function textWidth(text) {
  measuring.font = NAME_FONT;
  return Math.min(NAME_MOST, measuring.measureText(text).width);
}

const roundRange = (low, high, number) => Math.min(high, Math.max(low, number));

function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["text", "muted", "faint", "line", "surface", "page", "send", "deliver", "message", "wait", "operation",
                 "bad", "lost", "repeated", "first", "second", "third", "pause", "search"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

class Sheet {
  constructor(canvas, run, view) {
    Object.assign(this, {canvas, run, view});
    this.lanes = [];
    this.laneOf = [];
    this.layOut();
  }

  /* Clients that ask several things at once ("client1.7") share a line; the lab has none, what it does is drawn. */
  layOut() {
    const rank = {client: 0, replica: 1, coordinator: 2};
    const byName = new Map();
    this.laneOf = [];
    this.run.processes.forEach((process, number) => {
      if (process.role === "lab" || (process.role === "client" && !this.view.clients)) return;
      const name = process.role === "client" ? process.name.replace(/\.\d+$/, "") : process.name;
      const key = `${process.role} ${name}`;
      if (!byName.has(key)) byName.set(key, {name, role: process.role, processes: []});
      byName.get(key).processes.push(number);
    });
    const natural = new Intl.Collator("en", {numeric: true}).compare;
    this.lanes = [...byName.values()].sort((a, b) => rank[a.role] - rank[b.role] || natural(a.name, b.name));
    this.lanes.forEach((lane, i) => lane.processes.forEach((number) => this.laneOf[number] = i));
    const height = roundRange(LANE_LEAST, LANE_HEIGHT, LANES_TALL / Math.max(1, this.lanes.length));
    this.nameWidth = Math.max(0, ...this.lanes.map((lane) => textWidth(lane.name)));
    this.lanes.forEach((lane, i) => lane.y = STRIP_HEIGHT + height * (i + 0.55));
    this.laneHeight = height;
    this.height = STRIP_HEIGHT + height * this.lanes.length + 8 + AXIS_HEIGHT;
  }

  x(t) {
    return this.left + (t - this.run.origin - this.view.from) / (this.view.to - this.view.from) * this.width;
  }

  t(x) {
    return this.view.from + (x - this.left) / this.width * (this.view.to - this.view.from) + this.run.origin;
  }

  y(process) {
    const lane = this.laneOf[process];
    return lane === undefined ? null : this.lanes[lane].y;
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    const box = this.canvas.parentElement.clientWidth;
    this.canvas.style.height = `${this.height}px`;
    this.canvas.width = Math.round(box * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    const paper = this.canvas.getContext("2d");
    paper.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.paper = paper;
    this.c = colours();
    this.left = this.view.margin(); /* the same for all runs: one moment is in one place */
    this.width = Math.max(50, box - this.left - 12);
    this.drawn = {arrows: 0, crosses: 0, repeated: 0, crashes: 0, restarts: 0, pauses: 0, waits: 0, operations: 0, marks: 0,
                  highlighted: 0, density: 0, strips: 0, cuts: 0, elected: 0, recovered: 0, labels: 0, followed: 0};
    this.marks = [];
    paper.fillStyle = this.c.surface;
    paper.fillRect(0, 0, box, this.height);
    this.drawNetwork();
    this.drawAxis();
    this.drawLanes();
    paper.save();
    paper.beginPath();
    paper.rect(this.left - 6, 0, this.width + 12, this.height);
    paper.clip();
    this.drawEvents();
    this.drawInterventions();
    paper.restore();
    return this.drawn;
  }

  stroke(colour, width, dash = []) {
    this.paper.strokeStyle = colour;
    this.paper.lineWidth = width;
    this.paper.setLineDash(dash);
  }

  segment(x1, y1, x2, y2) {
    this.paper.beginPath();
    this.paper.moveTo(x1, y1);
    this.paper.lineTo(x2, y2);
    this.paper.stroke();
  }

  text(text, x, y, colour, font = "12px system-ui, sans-serif", align = "left", most = undefined, halo = false) {
    this.paper.fillStyle = colour;
    this.paper.font = font;
    this.paper.textAlign = align;
    this.paper.textBaseline = "middle";
    if (halo) { /* apart from the arrows behind it */
      this.stroke(this.c.surface, 4);
      this.paper.lineJoin = "round";
      this.paper.strokeText(isolated(text), x, y, most);
    }
    this.paper.fillText(isolated(text), x, y, most);
  }

  /* ---- what stands still: axis, lines, network ---- */

  drawAxis() {
    const span = this.view.to - this.view.from;
    const wanted = span / (this.width / 110);
    const power = 10 ** Math.floor(Math.log10(wanted));
    const step = power * [1, 2, 5, 10].find((n) => n * power >= wanted);
    const bottom = this.height - AXIS_HEIGHT;
    for (let n = Math.ceil(this.view.from / step); n * step <= this.view.to; n++) {
      const x = this.left + (n * step - this.view.from) / span * this.width;
      this.stroke(this.c.line, 1);
      this.segment(Math.round(x) + 0.5, STRIP_HEIGHT, Math.round(x) + 0.5, bottom);
      const align = x > this.left + this.width - 30 ? "right" : "center"; /* within the sheet */
      this.text(formatTime(n * step || 0), x, bottom + 14, this.c.muted, undefined, align);
    }
  }

  /* The times at which a process was there: from a start to a stop, or to a crash. */
  drawLanes() {
    for (const lane of this.lanes) {
      const font = lane.role === "client" ? NAME_FONT.replace("600 ", "") : NAME_FONT;
      this.text(lane.name, 10, lane.y, lane.role === "client" ? this.c.muted : this.c.text, font, "left", NAME_MOST);
      this.paper.save();
      this.paper.beginPath();
      this.paper.rect(this.left, 0, this.width, this.height);
      this.paper.clip();
      if (lane.role === "client") {
        this.stroke(this.c.faint, 1, [2, 3]);
        this.segment(this.left, lane.y, this.left + this.width, lane.y);
      }
      for (const number of lane.processes) this.drawLives(this.run.processes[number].lives, lane.y);
      this.paper.restore();
    }
    this.paper.setLineDash([]);
  }

  drawLives(lives, y) {
    lives.forEach((life, i) => {
      const end = life.crashed ?? life.last;
      this.stroke(this.c.muted, 2);
      this.segment(this.x(life.start), y, this.x(end), y);
      const next = lives[i + 1];
      if (life.crashed !== undefined || next !== undefined) this.drawDown(life, end, next, y);
    });
  }

  drawDown(life, end, next, y) {
    const x = this.x(end), until = next === undefined ? this.left + this.width : this.x(next.start);
    this.stroke(this.c.bad, 1.5, [2, 5]);
    this.segment(x, y, until, y);
    this.paper.setLineDash([]);
    if (until - x > 60 && life.crashed !== undefined) {
      const middle = (Math.max(x, this.left) + Math.min(until, this.left + this.width)) / 2;
      this.text(word("down"), middle, y - 10, this.c.bad, "600 11px system-ui, sans-serif", "center");
    }
    if (life.crashed !== undefined && x >= this.left && x <= this.left + this.width) {
      this.stroke(this.c.bad, 3);
      this.segment(x - 7, y - 7, x + 7, y + 7);
      this.segment(x - 7, y + 7, x + 7, y - 7);
      this.text(word(life.killed ? "killed" : "crashed"), x, y - 17, this.c.bad, "600 11px system-ui, sans-serif", "center");
      this.drawn.crashes++;
    }
    if (next !== undefined && until >= this.left && until <= this.left + this.width) {
      this.stroke(this.c.bad, 2);
      this.segment(until, y - 8, until, y + 8);
      this.drawn.restarts++;
    }
  }

  /* What faults were asked for, and since when; and where the network was cut. */
  drawNetwork() {
    const windows = this.view.windowsOf(this.run);
    for (const {from, to, text, cut} of windows) {
      const x1 = Math.max(this.left, this.x(from)), x2 = Math.min(this.left + this.width, this.x(to));
      if (x2 <= x1 || text === "") continue;
      this.paper.fillStyle = cut ? this.c.bad : this.c.wait;
      this.paper.globalAlpha = 0.12;
      this.paper.fillRect(x1, 2, x2 - x1, STRIP_HEIGHT - 6);
      if (cut) this.paper.fillRect(x1, STRIP_HEIGHT, x2 - x1, this.height - AXIS_HEIGHT - STRIP_HEIGHT);
      this.paper.globalAlpha = 1;
      this.paper.save();
      this.paper.beginPath();
      this.paper.rect(x1, 0, x2 - x1, STRIP_HEIGHT);
      this.paper.clip();
      this.text(text, x1 + 6, STRIP_HEIGHT / 2 - 1, cut ? this.c.bad : this.c.muted, "11px system-ui, sans-serif");
      this.paper.restore();
      this.drawn.strips++;
      this.drawn.cuts += cut ? 1 : 0;
    }
  }

  /* Pauses, and what killed and started whom. */
  drawInterventions() {
    const {pause, resume} = this.run.kind;
    for (const mark of this.run.marks) {
      if (mark.kind !== pause) continue;
      const target = this.run.processes.findIndex((process) => process.name === mark.target);
      const y = this.y(target);
      if (y === null || y === undefined) continue;
      const end = this.run.marks.find((m) => m.kind === resume && m.target === mark.target && m.t >= mark.t);
      const x1 = this.x(mark.t), x2 = end === undefined ? this.left + this.width : this.x(end.t);
      if (x2 < this.left || x1 > this.left + this.width) continue;
      this.drawPause(Math.max(x1, this.left), Math.min(x2, this.left + this.width), y);
    }
  }

  drawPause(x1, x2, y) {
    this.paper.save();
    this.paper.beginPath();
    this.paper.rect(x1, y - 9, x2 - x1, 18);
    this.paper.clip();
    this.paper.fillStyle = this.c.surface;
    this.paper.fillRect(x1, y - 9, x2 - x1, 18);
    this.stroke(this.c.pause, 1.5);
    for (let x = x1 - 18; x < x2 + 18; x += 7) this.segment(x, y + 9, x + 18, y - 9);
    this.paper.restore();
    this.stroke(this.c.pause, 1);
    this.paper.strokeRect(x1, y - 9, x2 - x1, 18);
    if (x2 - x1 > 50) this.text(word("paused"), (x1 + x2) / 2, y - 17, this.c.pause, "600 11px system-ui, sans-serif", "center");
    this.drawn.pauses++;
  }
}
