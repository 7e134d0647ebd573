/* The page as a whole. */

class Page {
  constructor() {
    const watch = () => this.watch;
    this.detail = new Detail();
    this.cluster = new Cluster((name) => this.detail.open(name));
    this.operation = new OperationForm(watch);
    this.load = new LoadForm(watch);
    this.history = new HistoryList();
    this.logs = new LogList();
    this.heading = make("h1", {}, "Paxos");
    this.silence = make("p", {className: "silence", role: "alert", hidden: true});
    document.documentElement.lang = language;
    document.getElementById("page").append(this.header(), this.silence,
      make("div", {className: "columns"}, this.cluster.element, make("div", {className: "side"}, this.operation.element, this.load.element)),
      make("div", {className: "columns below"}, this.history.element, this.logs.element), this.detail.element);
    this.ready = false;
    this.watch = new Watch((news) => this.take(news), (age) => this.tellSilence(age));
  }

  header() {
    const theme = make("button", {type: "button", id: "theme", title: word("theme"), onclick: () => this.turnTheme()}, "◐");
    theme.setAttribute("aria-label", word("theme"));
    const other = make("a", {id: "language", href: `?lang=${language === "en" ? "pt" : "en"}`}, word("other_language"));
    return make("header", {}, make("div", {}, this.heading, make("p", {className: "lead"}, word("lead"))), make("div", {className: "buttons"}, other, theme));
  }

  turnTheme() {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  }

  take(news) {
    this.name = news.name;
    setText(this.heading, word("title", news.name));
    document.title = `Paxos · ${news.name}`;
    this.silence.hidden = true;
    for (const part of [this.cluster, this.load, this.history, this.logs]) part.update(news);
    this.ready = news.members.every(({state}) => state !== "unknown");
  }

  tellSilence(age) {
    this.silence.hidden = false;
    setText(this.silence, word("offline", this.name ?? location.host, formatTime(age)));
  }
}

window.paxos = new Page();
