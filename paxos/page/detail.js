/* All that one process tells, in a window of its own: its status, whom it talks to, its last important lines. */

class Detail {
  constructor() {
    this.heading = make("h2");
    this.body = make("div", {className: "detail"});
    this.element = make("dialog", {id: "detail"},
      make("div", {className: "bar"}, this.heading, make("button", {type: "button", onclick: () => this.element.close()}, word("close"))),
      this.body);
    this.element.addEventListener("click", (event) => { if (event.target === this.element) this.element.close(); });
  }

  async open(name) {
    setText(this.heading, name);
    this.body.replaceChildren(make("p", {className: "note"}, word("asking")));
    if (!this.element.open) this.element.showModal();
    this.name = name;
    const path = `members/${encodeURIComponent(name)}`;
    const [status, logs] = await Promise.all([ask("GET", `${path}/status`), ask("GET", `${path}/logs/important`)]);
    if (this.name === name) this.show(status, logs);
  }

  show(status, logs) {
    if (status.status !== 200) {
      this.body.replaceChildren(make("p", {className: "bad"}, status.body.error ?? word("down")));
      return;
    }
    const {peers = [], ...facts} = status.body;
    const lines = logs.status === 200 ? logs.body.logs.slice(-40).reverse() : [];
    this.body.replaceChildren(
      make("dl", {className: "all"}, ...Object.entries(facts).map(([name, value]) =>
        make("div", {}, make("dt", {}, name), make("dd", {}, formatValue(value) ?? "")))),
      ...(peers.length > 0 ? [make("h3", {}, word("peers")), this.peers(peers)] : []),
      ...(lines.length > 0 ? [make("h3", {}, word("last_lines")), make("ol", {className: "lines"}, ...lines.map(logLine))] : []));
  }

  peers(peers) {
    const head = ["name", "address", "circuit", "failures", "last_error"].map((name) => make("th", {scope: "col"}, word(name)));
    return make("div", {className: "scroll"}, make("table", {}, make("thead", {}, make("tr", {}, ...head)),
      make("tbody", {}, ...peers.map((peer) => make("tr", {className: `circuit-${peer.circuit}`},
        ...[peer.name, peer.address, peer.circuit, peer.failures, peer.lastError].map((text) => make("td", {}, String(text ?? ""))))))));
  }
}
