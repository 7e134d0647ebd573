/* What a run cost: how long things took, and how many messages. Drawn as SVG, so that it prints well. */

const SVG = "http://www.w3.org/2000/svg";
const PLOT = {width: 560, height: 250, left: 56, right: 16, top: 12, bottom: 46};
const LATENCY_DECADES = 8, LATENCY_BINS = 800; /* as in report_html_parts.h */
const DASHES = ["", "6 4", "2 3"];

function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const binTime = (bin) => 10 ** (bin * LATENCY_DECADES / LATENCY_BINS);

function percentile(latencies, share) {
  let sum = 0;
  for (const [bin, count] of latencies.bins) {
    sum += count;
    if (sum >= share * latencies.count) return Math.min(binTime(bin + 0.5), latencies.highest);
  }
  return latencies.highest;
}

/* ---- latency ---- */

/* The share that was at least as fast, over the time: steep and far to the left is good. */
function latencyPlot(series) {
  const all = series.flatMap(({latencies}) => latencies.bins.map(([bin]) => bin));
  const low = Math.floor(Math.log10(binTime(Math.min(...all)))), high = Math.ceil(Math.log10(binTime(Math.max(...all) + 1)));
  const {width, height, left, right, top, bottom} = PLOT;
  const x = (us) => left + (Math.log10(Math.max(us, 1)) - low) / Math.max(1, high - low) * (width - left - right);
  const y = (share) => top + (1 - share) * (height - top - bottom);
  const plot = svg("svg", {viewBox: `0 0 ${width} ${height}`, class: "plot", role: "img", "aria-label": word("latency")});
  for (const share of [0, 0.5, 0.9, 1]) {
    plot.append(svg("line", {x1: left, x2: width - right, y1: y(share), y2: y(share), class: "grid"}),
                svg("text", {x: left - 8, y: y(share) + 4, class: "tick end"}, formatShare(share)));
  }
  for (let power = low; power <= high; power++) {
    plot.append(svg("line", {x1: x(10 ** power), x2: x(10 ** power), y1: top, y2: height - bottom, class: "grid"}),
                svg("text", {x: x(10 ** power), y: height - bottom + 16, class: "tick middle"}, formatTime(10 ** power)));
  }
  plot.append(svg("text", {x: (left + width - right) / 2, y: height - 8, class: "tick middle"}, word("latency_axis")));
  for (const {latencies, colour, dash} of series) {
    let sum = 0;
    const points = [`${x(binTime(latencies.bins[0][0]))},${y(0)}`];
    for (const [bin, count] of latencies.bins) {
      sum += count;
      points.push(`${x(Math.min(binTime(bin + 1), Math.max(latencies.highest, 1)))},${y(sum / latencies.count)}`);
    }
    plot.append(svg("polyline", {points: points.join(" "), class: `curve ${colour}`, "stroke-dasharray": dash}));
  }
  return plot;
}

function latencySeries(runs) {
  const series = [];
  runs.forEach((run, i) => {
    for (const [name, text, dash] of [["answers", "latency_answers", DASHES[0]], ["arrivals", "latency_arrivals", DASHES[1]]]) {
      if (run[name].count > 0) {
        series.push({latencies: run[name], colour: i === 0 ? "one" : "two", dash, name: word(text), run: run.name});
      }
    }
  });
  return series;
}

function latencyFigure(runs) {
  const series = latencySeries(runs);
  if (series.length === 0) return make("figure", {}, make("h3", {}, word("latency")), make("p", {}, word("none_measured")));
  const rows = series.map(({latencies, colour, dash, name, run}) => {
    const sample = svg("svg", {viewBox: "0 0 30 8", class: "sample"}, svg("line", {x1: 0, x2: 30, y1: 4, y2: 4, class: `curve ${colour}`,
                                                                                   "stroke-dasharray": dash}));
    return make("tr", {}, make("th", {scope: "row"}, sample, " ", make("bdi", {}, run), ": ", name),
      ...[0.5, 0.9, 0.99].map((share) => make("td", {}, formatTime(Number(percentile(latencies, share).toPrecision(3))))),
      make("td", {}, formatNumber(latencies.count)));
  });
  const head = make("tr", {}, ...["", "p50", "p90", "p99", "n"].map((text) => make("th", {}, text)));
  return make("figure", {}, make("h3", {}, word("latency")), latencyPlot(series),
    make("p", {className: "note"}, word("share_axis")), make("div", {className: "scroll"}, make("table", {className: "figures"}, head, ...rows)));
}

/* ---- messages ---- */

function messageParts(run) {
  const {replicas, coordinators, clients, lost, repeated} = run.traffic;
  const {send, receive, invoke, complete} = run.kind;
  return [["m_requests", clients[invoke] + clients[complete]], ["m_sent", replicas[send]], ["m_ordered", coordinators[send]],
          ["m_received", replicas[receive] + coordinators[receive]], ["m_lost", lost], ["m_repeated", repeated]];
}

function messageFigure(runs) {
  const all = runs.map((run) => messageParts(run).map(([name, count]) => [name, run.commands > 0 ? count / run.commands : 0]));
  const most = Math.max(0.001, ...all.flat().map(([, share]) => share));
  const rows = all[0].map(([name], i) => make("tr", {}, make("th", {scope: "row"}, word(name)),
    ...runs.flatMap((_, r) => {
      const share = all[r][i][1];
      const bar = svg("svg", {viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "bar"},
                      svg("rect", {x: 0, y: 0, width: share / most * 100, height: 10, class: r === 0 ? "one" : "two"}));
      return [make("td", {className: "number"}, formatNumber(share, 2)), make("td", {className: "barcell"}, bar)];
    })));
  const head = make("tr", {}, make("th", {}), ...runs.map((run) => make("th", {colSpan: 2}, make("bdi", {}, run.name))));
  return make("figure", {}, make("h3", {}, word("messages")),
    make("div", {className: "scroll"}, make("table", {className: "figures messages"}, head, ...rows)));
}

function priceSection(page, runs) {
  return section("price", make("div", {className: "columns"}, latencyFigure(runs), messageFigure(runs)));
}
