/* Draws the events of a run on its sheet: each process's on its line, each message an arrow. Only what is in view is
 * drawn; where there is too much for single marks, how much there is. */

const DETAIL_MOST = 3500;      /* events that are drawn one by one */
const SPECIAL_MOST = 1500;     /* lost and repeated messages that are drawn among density */
const HIDDEN_MARK = 4;         /* pixels: what waits for less is not drawn as waiting */

class Drawing extends Sheet {
  /* ---- events ---- */

  /* Calls back for each loaded event between two times, in their order. */
  each(from, to, visit) {
    for (const number of this.run.blocksBetween(from, to)) {
      const block = this.run.loaded.get(number);
      if (block === undefined) continue;
      for (let i = firstAt(block, from); i < block.count && block.t[i] <= to; i++) visit(block, i);
    }
  }

  count(from, to) {
    let count = 0;
    for (const number of this.run.blocksBetween(from, to)) {
      const block = this.run.loaded.get(number);
      if (block === undefined) return Infinity;
      count += firstAt(block, to + 1) - firstAt(block, from);
    }
    return count;
  }

  drawEvents() {
    const from = this.t(this.left), to = this.t(this.left + this.width);
    const wide = (to - from) / 2;
    const focus = this.view.focusOf(this.run);
    const count = this.count(from, to);
    if (count <= DETAIL_MOST) {
      this.each(from - wide, to + wide, (block, i) => this.drawSpan(block, i, focus));
      this.each(from - wide, to + wide, (block, i) => this.drawArrow(block, i, focus));
      this.each(from, to, (block, i) => this.drawMark(block, i, focus));
    } else {
      this.drawDensity(from, to, Number.isFinite(count));
      this.drawSpecial(from, to, focus);
    }
    this.drawFollowed(from - wide, to + wide, focus, count <= DETAIL_MOST);
    this.drawLabels(from, to, focus, count);
    this.inView = count;
  }

  /* The colour that follows a command through the picture, null for one that is in no focus. */
  colourOf(focus, block, i) {
    const command = this.run.commandOf(block, i);
    if (command === null) return null;
    const place = focus.placeOf(this.run, command);
    if (place >= 0) return [this.c.first, this.c.second, this.c.third][place % 3];
    return focus.matches(command) ? this.c.search : null;
  }

  /* How long something took on one line: a wait for its turn, or a client's for its answer. */
  drawSpan(block, i, focus) {
    const kind = this.run.kinds[block.kind[i]];
    if (kind !== "deliver" && kind !== "complete") return;
    const y = this.y(block.process[i]);
    if (y === undefined || y === null) return;
    const cause = this.run.find(kind === "complete" ? this.invocationOf(block, i) : block.cause[i]);
    if (cause === null || cause[0].process[cause[1]] !== block.process[i]) return;
    const x1 = this.x(cause[0].t[cause[1]]), x2 = this.x(block.t[i]);
    if (x2 - x1 < HIDDEN_MARK) return;
    const colour = this.colourOf(focus, block, i);
    this.paper.globalAlpha = colour !== null ? 0.55 : focus.dims ? 0.12 : kind === "complete" ? 0.35 : 0.5;
    this.paper.fillStyle = colour ?? (kind === "complete" ? this.c.operation : this.c.wait);
    const half = kind === "complete" ? 5 : 3.5;
    this.paper.beginPath();
    this.paper.roundRect(x1, y - half, x2 - x1, 2 * half, half);
    this.paper.fill();
    this.paper.globalAlpha = 1;
    this.drawn[kind === "complete" ? "operations" : "waits"]++;
  }

  /* A client does one thing after the other: its invocation is the last one before, of the same command. */
  invocationOf(block, i) {
    for (let k = i - 1; k >= Math.max(0, i - 20000); k--) {
      if (block.command[k] === block.command[i] && block.kind[k] === this.run.kind.invoke) return block.first + k;
    }
    return -1;
  }

  drawArrow(block, i, focus, followed = false) {
    if (!followed && this.isFollowed(focus, block, i)) return; /* it comes last, over all else */
    const cause = this.run.find(block.cause[i]);
    if (cause === null) return;
    const [from, k] = cause;
    const y1 = this.y(from.process[k]), y2 = this.y(block.process[i]);
    const kind = this.run.kinds[block.kind[i]];
    const lost = (block.flags[i] & FLAG_LOST) !== 0;
    if (y1 === undefined || y2 === undefined || y1 === null || y2 === null) return;
    if (y1 === y2 && !lost && kind !== "receive") return;
    if (kind === "fault" && !lost) return; /* the message itself follows */
    const x1 = this.x(from.t[k]), x2 = this.x(block.t[i]);
    if (Math.max(x1, x2) < this.left || Math.min(x1, x2) > this.left + this.width) return;
    const repeated = (block.flags[i] & FLAG_REPEATED) !== 0;
    const colour = this.colourOf(focus, block, i);
    const light = kind === "send" || kind === "complete";
    this.paper.globalAlpha = colour !== null ? 1 : focus.dims ? (lost ? 0.35 : 0.1) : lost || repeated ? 1 : light ? 0.4 : 0.5;
    this.arrow(x1, y1, x2, y2, colour ?? (lost ? this.c.lost : repeated ? this.c.repeated : this.c.message),
               colour !== null ? 2.2 : lost || repeated ? 1.6 : 1, {lost, repeated, light});
    this.paper.globalAlpha = 1;
  }

  /* A message to the sender itself leaves the line and comes back to it. */
  arc(x1, x2, y, colour, width, dash) {
    if (x2 - x1 < 8) return;
    const top = y - Math.min(this.laneHeight * 0.42, 8 + (x2 - x1) / 6);
    this.stroke(colour, width, dash);
    this.paper.beginPath();
    this.paper.moveTo(x1, y);
    this.paper.quadraticCurveTo((x1 + x2) / 2, 2 * top - y, x2, y);
    this.paper.stroke();
    this.paper.setLineDash([]);
    this.drawn.arrows++;
  }

  arrow(x1, y1, x2, y2, colour, width, {lost, repeated, light}) {
    if (y1 === y2 && !lost) {
      this.arc(x1, x2, y1, colour, width, repeated ? [3, 2] : []);
      this.drawn.repeated += repeated ? 1 : 0;
      return;
    }
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    let dx = (x2 - x1) / length, dy = (y2 - y1) / length;
    if (lost && y1 === y2) [dx, dy] = [0.4, -0.9]; /* to itself: it leaves the line and ends */
    const reach = lost ? (y1 === y2 ? this.laneHeight * 0.3 : length * 0.72) : length - 4;
    const ex = x1 + dx * reach, ey = y1 + dy * reach;
    this.stroke(colour, width, lost ? [5, 3] : repeated ? [3, 2] : light ? [1, 2] : []);
    this.segment(x1, y1, ex, ey);
    this.paper.setLineDash([]);
    if (lost) {
      this.stroke(colour, width + 1);
      this.segment(ex - 5, ey - 5, ex + 5, ey + 5);
      this.segment(ex - 5, ey + 5, ex + 5, ey - 5);
      this.drawn.crosses++;
    } else {
      const size = 4 + width;
      this.paper.fillStyle = colour;
      this.paper.beginPath();
      this.paper.moveTo(ex + dx * 2, ey + dy * 2);
      this.paper.lineTo(ex - dx * size - dy * size * 0.5, ey - dy * size + dx * size * 0.5);
      this.paper.lineTo(ex - dx * size + dy * size * 0.5, ey - dy * size - dx * size * 0.5);
      this.paper.fill();
      this.drawn.arrows++;
      this.drawn.repeated += repeated ? 1 : 0;
    }
  }

  isFollowed(focus, block, i) {
    const command = this.run.commandOf(block, i);
    return command !== null && focus.placeOf(this.run, command) >= 0;
  }

  drawMark(block, i, focus, followed = false) {
    if (!followed && this.isFollowed(focus, block, i)) return;
    const y = this.y(block.process[i]);
    if (y === undefined || y === null) return;
    const kind = this.run.kinds[block.kind[i]];
    if (!followed && (kind === "say" || kind === "hear")) return; /* each single message: only as a proof */
    const x = this.x(block.t[i]);
    const colour = this.colourOf(focus, block, i);
    this.marks.push({x, y, block, i});
    this.drawn.marks++;
    this.paper.globalAlpha = colour === null && focus.dims ? 0.25 : 1;
    this.shape(kind, x, y, colour);
    this.paper.globalAlpha = 1;
  }

  /* The marks of the legend; the legend is drawn with this, too. */
  shape(kind, x, y, colour) {
    const paper = this.paper;
    const size = colour != null ? 5.5 : 4;
    paper.beginPath();
    if (kind === "deliver") {
      paper.fillStyle = colour ?? this.c.deliver;
      paper.moveTo(x, y - size - 1);
      paper.lineTo(x + size + 1, y);
      paper.lineTo(x, y + size + 1);
      paper.lineTo(x - size - 1, y);
      paper.fill();
    } else if (kind === "send" || kind === "invoke") {
      paper.fillStyle = colour ?? this.c.send;
      paper.arc(x, y, size, 0, 7);
      paper.fill();
    } else if (kind === "receive" || kind === "complete") {
      paper.fillStyle = this.c.surface;
      paper.arc(x, y, size - 0.8, 0, 7);
      paper.fill();
      this.stroke(colour ?? this.c.message, 1.5);
      paper.stroke();
    } else if (kind === "elect") {
      paper.fillStyle = this.c.send;
      for (let k = 0; k < 10; k++) {
        const radius = k % 2 === 0 ? 9 : 4;
        paper.lineTo(x + radius * Math.sin(k * Math.PI / 5), y - radius * Math.cos(k * Math.PI / 5));
      }
      paper.fill();
      this.text(word("elected"), x, y - 17, this.c.send, "600 11px system-ui, sans-serif", "center");
      this.drawn.elected++;
    } else if (kind === "recover") {
      paper.fillStyle = this.c.surface;
      paper.rect(x - 4, y - 4, 8, 8);
      paper.fill();
      this.stroke(this.c.send, 1.5);
      paper.stroke();
      this.drawn.recovered++;
    } else {
      this.stroke(this.c.muted, 1);
      this.segment(x, y - 4, x, y + 4);
    }
  }

  /* ---- too much for single marks ---- */

  drawDensity(from, to, exact) {
    const bins = Math.floor(this.width / 2);
    const rows = exact ? this.binEvents(from, to, bins) : this.binOverview(from, to, bins);
    const most = Math.max(1, ...rows.map((row) => row.reduce((a, b) => Math.max(a, b), 0)));
    rows.forEach((row, lane) => {
      const y = this.lanes[lane].y;
      this.paper.fillStyle = this.c.message;
      this.paper.globalAlpha = 0.75;
      row.forEach((count, bin) => {
        if (count === 0) return;
        const height = 2 + (this.laneHeight * 0.7 - 2) * Math.log1p(count) / Math.log1p(most);
        this.paper.fillRect(this.left + bin * 2, y - height / 2, 2, height);
        this.drawn.density++;
      });
      this.paper.globalAlpha = 1;
    });
  }

  binEvents(from, to, bins) {
    const rows = this.lanes.map(() => new Float64Array(bins));
    this.each(from, to, (block, i) => {
      const lane = this.laneOf[block.process[i]];
      if (lane !== undefined) rows[lane][Math.min(bins - 1, Math.floor((block.t[i] - from) / (to - from) * bins))]++;
    });
    return rows;
  }

  /* Out of the counts that the page has of the whole run. */
  binOverview(from, to, bins) {
    const rows = this.lanes.map(() => new Float64Array(bins));
    this.run.overview.forEach((counts, process) => {
      const lane = this.laneOf[process];
      if (lane === undefined) return;
      const width = (this.run.span + 1) / counts.length;
      for (let bin = 0; bin < bins; bin++) {
        const t = from + (bin + 0.5) / bins * (to - from);
        const at = Math.floor(t / width);
        if (at >= 0 && at < counts.length) rows[lane][bin] += counts[at] * (to - from) / bins / width;
      }
    });
    return rows;
  }

  /* Lost and repeated messages stay visible among many others. */
  drawSpecial(from, to, focus) {
    let left = SPECIAL_MOST;
    this.each(from, to, (block, i) => {
      if (block.flags[i] !== 0 && left-- > 0) this.drawArrow(block, i, focus);
      const kind = block.kind[i];
      if (kind === this.run.kind.elect || kind === this.run.kind.recover) this.drawMark(block, i, focus);
    });
  }

  /* What is in focus is drawn over all else: the arrows of its commands, and its proof with numbers. */
  drawFollowed(from, to, focus, detailed) {
    if (focus.follows) {
      const followed = [];
      this.each(from, to, (block, i) => { if (this.isFollowed(focus, block, i)) followed.push([block, i]); });
      for (const [block, i] of followed) this.drawArrow(block, i, focus, true);
      for (const [block, i] of followed) this.drawMark(block, i, focus, true);
      this.drawn.followed += followed.length;
    }
    if (!detailed && focus.searching) {
      this.each(from, to, (block, i) => {
        const command = this.run.commandOf(block, i);
        if (command !== null && focus.matches(command)) this.drawMark(block, i, focus);
      });
    }
    const badges = [];
    focus.evidence.forEach((rank, i) => {
      const found = this.run.find(rank);
      const y = found === null ? undefined : this.y(found[0].process[found[1]]);
      if (y === undefined || y === null) return;
      const x = this.x(found[0].t[found[1]]);
      this.drawMark(found[0], found[1], focus, true);
      this.stroke(this.c.bad, 2);
      this.paper.beginPath();
      this.paper.arc(x, y, 10, 0, 7);
      this.paper.stroke();
      badges.push({number: i + 1, x, y});
      this.drawn.highlighted++;
    });
    this.drawBadges(badges);
  }

  /* Side by side where they would hide each other. */
  drawBadges(badges) {
    badges.sort((a, b) => a.y - b.y || a.x - b.x);
    badges.forEach((badge, i) => {
      const before = badges[i - 1];
      if (before !== undefined && before.y === badge.y && badge.x - before.x < 18) {
        const middle = (before.x + badge.x) / 2;
        if (badges[i - 2]?.y !== badge.y) before.x = middle - 9;
        badge.x = before.x + 18;
      }
    });
    for (const {number, x, y} of badges) this.badge(number, x, y);
  }

  badge(number, x, y) {
    this.paper.fillStyle = this.c.bad;
    this.paper.beginPath();
    this.paper.arc(x, y - 19, 8, 0, 7);
    this.paper.fill();
    this.text(String(number), x, y - 18.5, this.c.surface, "600 11px system-ui, sans-serif", "center");
  }

  /* What is delivered, in words, where there is room for most of it. */
  drawLabels(from, to, focus, count) {
    if (count > DETAIL_MOST) return;
    const roomy = this.marks.filter(({block, i}) => block.kind[i] === this.run.kind.deliver).length * 40 < this.width * this.lanes.length;
    const taken = new Map();
    const ring = new Set(focus.evidence);
    const label = (block, i, must) => {
      const y = this.y(block.process[i]);
      const command = this.run.commandOf(block, i);
      if (y === undefined || y === null || command === null || this.run.kinds[block.kind[i]] !== "deliver") return;
      const colour = this.colourOf(focus, block, i);
      const text = this.shortCommand(command);
      const font = must ? "600 12px system-ui, sans-serif" : "11px system-ui, sans-serif";
      this.paper.font = font;
      const half = this.paper.measureText(text).width / 2, x = this.x(block.t[i]);
      const spans = taken.get(y) ?? [];
      const free = (row) => !spans.some(([a, b, r]) => r === row && x - half < b + 6 && x + half > a - 6);
      const row = free(0) ? 0 : colour !== null && free(1) ? 1 : null;
      if (row === null) return;
      taken.set(y, [...spans, [x - half, x + half, row]]);
      this.text(text, x, y + 18 + row * 14, colour ?? this.c.muted, font, "center", undefined, true);
      this.drawn.labels++;
    };
    focus.evidence.forEach((rank) => {
      const found = this.run.find(rank);
      if (found !== null) label(...found, true);
    });
    if (this.laneHeight < 44 || (!roomy && !focus.dims)) return;
    this.each(from, to, (block, i) => {
      if (block.kind[i] === this.run.kind.deliver && !ring.has(block.first + i) &&
          (!focus.dims || this.colourOf(focus, block, i) !== null)) label(block, i, false);
    });
  }

  shortCommand(command) {
    const key = command.key ?? "", value = (command.value ?? "").replace(/^"(.*)"$/, "$1");
    const text = value === "" ? `${command.type} ${key}` : `${key}=${value}`;
    return text.length > 18 ? `${text.slice(0, 17)}…` : text;
  }
}
