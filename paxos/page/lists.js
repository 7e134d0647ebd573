/* What was asked at this client, and what all processes say in their logs. */

const HISTORY_SHOWN = 100;
const LINES_KEPT = 2000;
const LINES_SHOWN = 300;
const LEVELS = ["debug", "info", "warning", "error"];

/* ---- operations ---- */

function operationRow({ts, from, operation, resource, data, status, result}) {
  const good = status >= 200 && status < 300;
  const asked = [operation, resource === undefined ? "" : formatValue(resource), data === undefined ? "" : `= ${formatValue(data)}`];
  const value = "snapshot" in result ? result.snapshot : result.value;
  const answer = good ? (value === undefined ? "✓" : formatValue(value)) : String(result.error ?? status);
  return make("tr", {className: good ? "" : "bad"},
    make("td", {className: "when"}, formatClock(ts)), make("td", {}, word(`from_${from}`)),
    make("td", {}, make("div", {className: "text"}, asked.filter((text) => text !== "").join(" "))),
    make("td", {}, make("div", {className: "text"}, answer)),
    make("td", {className: "number"}, formatNumber(result.instanceId)), make("td", {className: "number"}, formatTime(result.latencyUs)));
}

class HistoryList {
  constructor() {
    this.items = [];
    this.rows = make("tbody", {id: "history"});
    this.empty = make("p", {className: "note"}, word("history_empty"));
    const head = ["time", "", "what", "answer", "instance", "latency"].map((name, i) =>
      make("th", {scope: "col", className: i > 3 ? "number" : ""}, name === "" ? "" : word(name)));
    this.element = make("section", {className: "card"}, make("h2", {}, word("history")), this.empty,
      make("div", {className: "scroll tall"}, make("table", {className: "history"}, make("thead", {}, make("tr", {}, ...head)), this.rows)));
  }

  update({operations: {items}, anew}) {
    if (anew) this.rows.replaceChildren();
    for (const item of items) this.rows.prepend(operationRow(item));
    while (this.rows.childElementCount > HISTORY_SHOWN) this.rows.lastElementChild.remove();
    this.empty.hidden = this.rows.childElementCount > 0;
  }
}

/* ---- lines of logs ---- */

function logLine(line) {
  const {ts, level, node, event, ...fields} = line;
  const rest = Object.entries(fields).map(([name, value]) => name === "message" ? formatValue(value) : `${name}=${formatValue(value)}`);
  return make("li", {className: LEVELS.includes(level) ? level : ""}, make("span", {className: "when"}, formatClock(ts)), " ",
    make("b", {}, String(node)), " ", make("span", {className: "event"}, String(event)), " ", make("span", {className: "rest"}, rest.join(" ")));
}

class LogList {
  constructor() {
    this.lines = []; /* by time, the newest first */
    this.names = new Set();
    this.query = make("input", {type: "search", id: "filter", placeholder: word("filter"), oninput: () => this.draw()});
    this.query.setAttribute("aria-label", word("filter"));
    this.who = make("select", {id: "who", onchange: () => this.draw()}, make("option", {value: ""}, word("everybody")));
    this.level = make("select", {id: "level", onchange: () => this.draw()},
      make("option", {value: "0"}, word("any_level")), make("option", {value: "2"}, word("from_warning")));
    this.list = make("ol", {className: "lines tall", id: "lines"});
    this.note = make("p", {className: "note"});
    this.element = make("section", {className: "card logs"}, make("h2", {}, word("logs")), make("p", {className: "note"}, word("logs_note")),
      make("div", {className: "buttons"}, this.query, this.who, this.level), this.note, this.list);
  }

  update({lines: {items}, members, anew}) {
    for (const role of ROLES) this.offer(role, word(role), members.some((member) => member.role === role));
    for (const {name} of members) this.offer(name, name, true);
    if (anew) this.lines = [];
    if (items.length === 0 && !anew) return;
    this.lines.push(...items);
    this.lines.sort((a, b) => a.ts < b.ts ? 1 : a.ts > b.ts ? -1 : 0);
    this.lines.length = Math.min(this.lines.length, LINES_KEPT);
    this.draw();
  }

  offer(value, text, wanted) {
    if (!wanted || this.names.has(value)) return;
    this.names.add(value);
    this.who.append(make("option", {value}, text));
  }

  fits(line) {
    const who = this.who.value;
    if (who !== "" && line.node !== who && !(ROLES.includes(who) && String(line.node).startsWith(`${who}-`))) return false;
    if (LEVELS.indexOf(line.level) < Number(this.level.value)) return false;
    const query = this.query.value.trim().toLowerCase();
    return query === "" || JSON.stringify(line).toLowerCase().includes(query);
  }

  draw() {
    const fitting = this.lines.filter((line) => this.fits(line)).slice(0, LINES_SHOWN);
    this.list.replaceChildren(...fitting.map(logLine));
    setText(this.note, fitting.length === 0 ? word("no_lines") : "");
    this.note.hidden = fitting.length > 0;
  }
}
