/* Lines from the leader to the acceptors that have promised to its ballot: while they are a majority, it can decide. */

class Links {
  constructor(stage) {
    this.stage = stage;
    this.canvas = svg("svg", {class: "links", "aria-hidden": "true"});
    this.drawn = [];
    stage.append(this.canvas);
    new ResizeObserver(() => this.draw()).observe(stage);
  }

  update(leader, members, tiles) {
    this.ends = leader === null ? null : {
      from: tiles.get(leader.name).element,
      to: members.filter(({role, state, status}) => role === "acceptor" && state === "up" && sameBallot(status?.promised, leader.status.ballot))
        .map(({name}) => tiles.get(name).element),
    };
    this.draw();
  }

  draw() {
    const {width, height, left, top} = this.stage.getBoundingClientRect();
    const paths = [];
    this.canvas.setAttribute("viewBox", `0 0 ${width} ${height}`);
    if (this.ends) {
      const from = this.ends.from.getBoundingClientRect();
      const x = from.left + from.width / 2 - left, y = from.bottom - top;
      for (const element of this.ends.to) {
        const to = element.getBoundingClientRect();
        const tx = to.left + to.width / 2 - left, ty = to.top - top, bend = (ty - y) / 2;
        paths.push(svg("path", {d: `M${x},${y} C${x},${y + bend} ${tx},${ty - bend} ${tx},${ty}`, class: "link"}),
                   svg("circle", {cx: tx, cy: ty, r: 4, class: "end"}));
      }
    }
    this.canvas.replaceChildren(...paths);
  }
}
