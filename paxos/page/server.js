/* The client that serves this page: everything that the page knows comes from there, and nothing from anywhere else. */

const POLL_MS = 1000;
const HURRY_MS = 200; /* until all members have been asked once */

/* Asks, and returns {status, body}; a server that is not there is status 0. */
async function ask(method, path, body) {
  try {
    const reply = await fetch(path, {method, cache: "no-store", signal: AbortSignal.timeout(15000),
      ...(body === undefined ? {} : {body: JSON.stringify(body), headers: {"Content-Type": "application/json"}})});
    return {status: reply.status, body: await reply.json()};
  } catch (error) {
    return {status: 0, body: {error: String(error.message ?? error)}};
  }
}

/* Asks about once a second how the cluster is, while somebody looks, and hands on what is new. */
class Watch {
  constructor(onNews, onSilence) {
    Object.assign(this, {onNews, onSilence, operations: 0, lines: 0, heardAt: null, name: null});
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.hurry(); });
    this.turn();
  }

  async turn() {
    this.timer = null;
    let pause = POLL_MS;
    try {
      if (!document.hidden) pause = await this.look();
    } finally {
      this.timer = setTimeout(() => this.turn(), pause);
    }
  }

  /* Returns when to look again. */
  async look() {
    const {status, body} = await ask("GET", `cluster?operations=${this.operations}&lines=${this.lines}`);
    if (status !== 200) {
      this.onSilence(this.heardAt === null ? null : (Date.now() - this.heardAt) * 1000);
      return POLL_MS;
    }
    this.take(body);
    return body.members.some(({state}) => state === "unknown") ? HURRY_MS : POLL_MS;
  }

  /* A client that was started anew counts anew: what it tells then is all that it has. */
  take(news) {
    news.anew = news.operations.next < this.operations || news.lines.next < this.lines;
    this.operations = news.operations.next;
    this.lines = news.lines.next;
    this.heardAt = Date.now();
    this.onNews(news);
  }

  /* Something was just done: what came of it is wanted now. */
  hurry() {
    if (this.timer === null) return;
    clearTimeout(this.timer);
    this.turn();
  }
}
