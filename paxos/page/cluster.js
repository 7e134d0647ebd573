/* The processes of the cluster, a row for each role and a tile for each process, and who leads them. */

const ROLES = ["proposer", "acceptor", "learner", "store", "client"];
const FRESH_MS = 4000; /* a change is marked for so long */

/* The proposer that leads: of several that think so (a deposed one learns of it late) the one with the highest ballot. */
function findLeader(members) {
  let leader = null;
  for (const member of members) {
    if (member.role !== "proposer" || member.state !== "up" || member.status?.state !== "leading") continue;
    if (!member.status.ballot) continue;
    if (leader === null || higherBallot(member.status.ballot, leader.status.ballot)) leader = member;
  }
  return leader;
}

/* What a tile says of a process: a state, and some figures with their names. */
const TELLS = {
  proposer: ({status: s}) => [
    ["leading", "preparing", "following"].includes(s.state) ? s.state : "up",
    [["ballot", formatBallot(s.ballot ?? s.highest)], ["next_instance", formatNumber(s.nextInstance)],
     ["in_flight", formatNumber((s.inFlight ?? 0) + (s.queued ?? 0))]]],
  acceptor: ({status: s}) => [
    "up", [["promised", formatBallot(s.promised)], ["last_instance", formatNumber(s.lastInstance)], ["held", formatNumber(s.held)]]],
  learner: ({status: s}) => [
    "up", [["applied", formatNumber(s.applied)], ["checkpoint", formatNumber(s.checkpoint)], ["resources", formatNumber(s.resources)]]],
  store: ({status: s}) => [
    s.serves ? "serves" : "serves_not",
    [["version", formatNumber(s.version)], ["resources", formatNumber(s.resources)], ["pending", formatNumber(s.pending)]]],
  client: ({status: s}) => [
    s.running ? "load_on" : "up",
    [["done", formatNumber(s.done)], ["failed", formatNumber(s.failed)], ["median", s.done > 0 ? formatTime(s.p50Us) : "–"]]],
};

class Tile {
  constructor(member, onOpen) {
    this.state = make("span", {className: "state"});
    this.figures = make("dl");
    this.element = make("button", {type: "button", className: "tile", onclick: () => onOpen(member.name)},
      make("span", {className: "name"}, member.name), this.state, this.figures);
    this.element.dataset.name = member.name;
    this.rows = [];
  }

  /* Figures that were known stay, faint, when a process does not answer any more. */
  update(member, {leader, self}) {
    const known = member.status !== null;
    const [state, figures] = known ? TELLS[member.role](member) : ["up", []];
    const promised = leader !== null && member.role === "acceptor" && known && sameBallot(member.status.promised, leader.status.ballot);
    const shown = member.state === "up" ? (promised ? "in_majority" : state) : member.state;
    this.element.className = `tile ${member.role} ${member.state} ${member.state === "up" ? state : ""}`;
    this.element.classList.toggle("leader", member === leader);
    this.element.classList.toggle("promised", promised && member.state === "up");
    this.element.title = [member.address, member.error].filter((text) => text !== "").join("\n");
    setText(this.state, member.name === self && shown === "up" ? word("this_one") : word(shown));
    if (known) this.showFigures(figures);
  }

  showFigures(figures) {
    while (this.rows.length < figures.length) {
      const row = {name: make("dt"), value: make("dd")};
      this.figures.append(make("div", {}, row.name, row.value));
      this.rows.push(row);
    }
    figures.forEach(([name, value], i) => {
      setText(this.rows[i].name, word(name));
      setText(this.rows[i].value, value);
    });
  }
}

class Cluster {
  constructor(onOpen) {
    Object.assign(this, {onOpen, tiles: new Map(), rows: new Map(), last: undefined, leads: false, commands: null, speed: null});
    this.headline = make("p", {className: "headline", id: "leader", role: "status"});
    this.facts = make("p", {className: "facts"});
    this.change = make("p", {className: "change", id: "change", hidden: true});
    this.stage = make("div", {className: "stage", id: "stage"});
    this.links = new Links(this.stage);
    this.element = make("section", {className: "cluster"}, make("div", {className: "now"}, this.headline, this.facts, this.change), this.stage);
  }

  rowOf(role) {
    if (!this.rows.has(role)) {
      const tiles = make("div", {className: "tiles"});
      this.rows.set(role, tiles);
      this.stage.append(make("div", {className: `row ${role}`},
        make("h2", {}, word(role), make("small", {}, word(`${role}_does`))), tiles));
    }
    return this.rows.get(role);
  }

  update({name: self, members}) {
    const leader = findLeader(members);
    for (const member of members.filter(({role}) => ROLES.includes(role))) {
      if (!this.tiles.has(member.name)) {
        const tile = new Tile(member, this.onOpen);
        this.tiles.set(member.name, tile);
        this.rowOf(member.role).append(tile.element);
      }
      this.tiles.get(member.name).update(member, {leader, self});
    }
    this.tellLeader(leader, members);
    this.tellFacts(members);
    this.links.update(leader, members, this.tiles);
  }

  /* Somebody else leads: said above the tiles and marked in them, for a while. */
  tellLeader(leader, members) {
    const name = leader === null ? null : leader.name;
    const anyUp = members.some(({role, state}) => role === "proposer" && state === "up");
    setText(this.headline, leader !== null ? word("leads", name, formatBallot(leader.status.ballot))
      : word(anyUp ? "nobody_leads" : "nobody_known"));
    this.headline.classList.toggle("bad", leader === null);
    const now = formatClock(new Date().toISOString(), false);
    if (name !== null && this.last !== undefined && name !== this.last) {
      this.tellChange(word("leader_now", name, now, this.last));
      this.mark(this.tiles.get(name).element);
    } else if (name === null && this.leads) {
      this.tellChange(word("leader_until", this.last, now));
    }
    this.leads = name !== null;
    this.last = name ?? this.last;
  }

  tellChange(text) {
    this.change.hidden = false;
    setText(this.change, text);
  }

  mark(element) {
    this.stage.classList.add("fresh");
    element.classList.add("fresh");
    setTimeout(() => {
      this.stage.classList.remove("fresh");
      element.classList.remove("fresh");
    }, FRESH_MS);
  }

  /* How far it has come, by the learner that is ahead, and how fast. */
  tellFacts(members) {
    const learners = members.filter(({role, state, status}) => role === "learner" && state === "up" && status !== null);
    const applied = Math.max(-1, ...learners.map(({status}) => status.applied ?? -1));
    const commands = Math.max(-1, ...learners.map(({status}) => status.commands ?? -1));
    const at = performance.now();
    if (commands >= 0) {
      if (this.commands !== null && at > this.commands.at && commands >= this.commands.count) {
        const speed = (commands - this.commands.count) / (at - this.commands.at) * 1000;
        this.speed = this.speed === null ? speed : (this.speed + speed) / 2;
      }
      this.commands = {count: commands, at};
    }
    const up = members.filter(({state}) => state === "up").length;
    setText(this.facts, [applied >= 0 ? word("applied_to", formatNumber(applied)) : null,
      this.speed !== null ? word("per_second", formatNumber(this.speed, this.speed < 10 ? 1 : 0)) : null,
      word("up_count", up, members.length)].filter((text) => text !== null).join(" · "));
  }
}
