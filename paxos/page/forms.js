/* What the reader may do: one operation, or a load of them. */

function field(label, id, properties) {
  const input = make("input", {id, autocomplete: "off", ...properties});
  return {input, element: make("label", {className: "field"}, make("span", {}, label), input)};
}

/* What came of an operation, in a sentence or two. */
function describeResult(status, result) {
  const cost = result.tries > 1 ? word("took", formatTime(result.latencyUs), formatNumber(result.tries)) : word("took_one", formatTime(result.latencyUs));
  if (status < 200 || status >= 300) return {bad: true, heading: word("refused"), text: String(result.error ?? status), cost};
  const age = isNumber(result.ageMs) ? `, ${word("old", formatTime(result.ageMs * 1000))}` : "";
  const heading = isNumber(result.instanceId) ? word("decided", formatNumber(result.instanceId), result.proposerId) : word("answered");
  if ("snapshot" in result) return {heading: heading + age, text: JSON.stringify(result.snapshot, null, 1), cost};
  if (!("value" in result)) return {heading: heading + age, text: "", cost};
  const text = result.value === null ? word("absent", result.resource) : `${result.resource} = ${formatValue(result.value)}`;
  return {heading: heading + age, text, cost, version: result.version};
}

class OperationForm {
  constructor(watch) {
    this.watch = watch;
    this.resource = field(word("resource"), "resource", {value: "x", maxLength: 1024, spellcheck: false});
    this.value = field(word("value"), "value", {value: "1", spellcheck: false});
    this.stale = make("input", {type: "checkbox", id: "stale"});
    this.answer = make("div", {className: "answer", id: "answer", role: "status"});
    const button = (id, operation) => make("button", {type: operation === "SET" ? "submit" : "button", id,
      onclick: operation === "SET" ? null : () => this.perform(operation)}, word(id));
    this.buttons = [button("write", "SET"), button("read", "GET"), button("read_all", "PRINT")];
    this.element = make("section", {className: "card"}, make("h2", {}, word("operation")),
      make("form", {onsubmit: (event) => { event.preventDefault(); this.perform("SET"); }},
        make("div", {className: "fields"}, this.resource.element, this.value.element),
        make("div", {className: "buttons"}, ...this.buttons, make("label", {className: "check"}, this.stale, " ", word("stale")))),
      this.answer);
  }

  async perform(operation) {
    const body = {operation};
    if (operation !== "PRINT") body.resource = this.resource.input.value;
    if (operation === "SET") body.data = this.value.input.value;
    if (operation !== "SET" && this.stale.checked) body.stale = true;
    this.buttons.forEach((button) => { button.disabled = true; });
    this.answer.replaceChildren(make("p", {className: "note"}, word("asking")));
    const {status, body: result} = await ask("POST", "operation", body);
    this.buttons.forEach((button) => { button.disabled = false; });
    this.show(describeResult(status, result));
    this.watch().hurry();
  }

  show({bad = false, heading, text, cost, version}) {
    const about = [cost, isNumber(version) ? `${word("version")} ${formatNumber(version)}` : null].filter((part) => part !== null);
    this.answer.classList.toggle("bad", bad);
    this.answer.replaceChildren(make("p", {className: "told"}, heading), ...(text === "" ? [] : [make("pre", {}, text)]),
      make("p", {className: "note"}, about.join(" · ")));
  }
}

const CURVE = {width: 300, height: 56, points: 60};

class LoadForm {
  constructor(watch) {
    this.watch = watch;
    const number = (name, value, min, max) => field(word(name), name, {type: "number", value, min, max, required: true});
    this.fields = {rate: number("rate", 50, 1, 20000), keys: number("keys", 10, 1, 1000000), read_share: number("read_share", 50, 0, 100),
                   size: number("size", 16, 1, 65536), operations: number("operations", 0, 0, 1e12)};
    this.button = make("button", {type: "submit", id: "load"}, word("start"));
    this.trouble = make("p", {className: "note bad"});
    this.figures = make("dl", {className: "figures", id: "figures"});
    this.curve = svg("polyline", {class: "curve"});
    this.speeds = [];
    this.element = make("section", {className: "card"}, make("h2", {}, word("load")),
      make("form", {onsubmit: (event) => { event.preventDefault(); this.turn(); }},
        make("div", {className: "fields"}, ...Object.values(this.fields).map(({element}) => element)),
        make("div", {className: "buttons"}, this.button)), this.trouble,
      svg("svg", {class: "plot", viewBox: `0 0 ${CURVE.width} ${CURVE.height}`, preserveAspectRatio: "none", "aria-hidden": "true"}, this.curve), this.figures);
  }

  async turn() {
    const value = (name) => Number(this.fields[name].input.value);
    const {status, body} = this.running ? await ask("POST", "stop", {}) : await ask("POST", "start", {
      rate: value("rate"), keys: value("keys"), readShare: value("read_share") / 100, size: value("size"), operations: value("operations")});
    setText(this.trouble, status === 200 ? "" : String(body.error ?? status));
    this.watch().hurry();
  }

  update({load}) {
    const at = performance.now();
    this.running = load.running;
    setText(this.button, word(load.running ? "stop" : "start"));
    this.button.classList.toggle("on", load.running);
    this.showSettings(load);
    const last = this.last;
    const speed = last && at - last.at > 300 && load.done >= last.done ? (load.done - last.done) / (at - last.at) * 1000 : null;
    if (!last || at - last.at > 300) this.last = {done: load.done, at};
    if (speed !== null) {
      this.speed = speed;
      this.speeds.push(speed);
      if (this.speeds.length > CURVE.points) this.speeds.shift();
      this.drawCurve();
    }
    const told = [["now", this.speed === undefined ? "–" : `${formatNumber(this.speed)}/s`], ["done", formatNumber(load.done)], ["failed", formatNumber(load.failed)],
      ["p50", load.done > 0 ? formatTime(load.p50Us) : "–"], ["p99", load.done > 0 ? formatTime(load.p99Us) : "–"],
      ...(load.leftOut > 0 ? [["left_out", formatNumber(load.leftOut)]] : [])];
    this.figures.replaceChildren(...told.map(([name, text]) => make("div", {}, make("dt", {}, word(name)), make("dd", {}, text))));
  }

  /* While a load runs the fields show its settings, whoever began it. */
  showSettings(load) {
    const settings = {...load, read_share: load.readShare * 100};
    for (const [name, {input}] of Object.entries(this.fields)) {
      input.disabled = load.running;
      if (load.running) input.value = Math.round(settings[name]);
    }
  }

  drawCurve() {
    const most = Math.max(1, ...this.speeds);
    const step = CURVE.width / (CURVE.points - 1);
    const left = CURVE.width - (this.speeds.length - 1) * step;
    this.curve.setAttribute("points", this.speeds.map((speed, i) =>
      `${(left + i * step).toFixed(1)},${(CURVE.height - 2 - speed / most * (CURVE.height - 6)).toFixed(1)}`).join(" "));
  }
}
