/* Elements of the page, and how numbers and times are written in them. Texts become text, never markup: whatever a resource
 * or a log line holds, it is shown and does not run. */

const SVG = "http://www.w3.org/2000/svg";

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on") || name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function svg(tag, properties = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/* Sets a text only if it is another one: what is selected stays selected. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const isNumber = (value) => typeof value === "number" && Number.isFinite(value);

const formatNumber = (number, digits = 0) =>
  isNumber(number) ? number.toLocaleString(language, {maximumFractionDigits: digits}) : "–";

/* A length of time in microseconds, in three digits. */
function formatTime(us) {
  if (!isNumber(us)) return "–";
  if (us < 1000) return `${formatNumber(us)} µs`;
  if (us < 1e6) return `${formatNumber(us / 1000, us < 1e4 ? 2 : us < 1e5 ? 1 : 0)} ms`;
  return `${formatNumber(us / 1e6, us < 1e7 ? 2 : 1)} s`;
}

/* "12:34:56.789", of the reader's day, out of what a log calls "ts". */
function formatClock(ts, milliseconds = true) {
  const time = new Date(ts);
  if (Number.isNaN(time.getTime())) return String(ts);
  return time.toLocaleTimeString(language, {hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
    ...(milliseconds ? {fractionalSecondDigits: 3} : {})});
}

/* A ballot as people write it: round and proposer. */
const formatBallot = (ballot) =>
  ballot === null || ballot === undefined ? "–" : `${ballot.proposalNumber}.${ballot.proposerId}`;

const sameBallot = (a, b) => Boolean(a && b) && a.proposalNumber === b.proposalNumber && a.proposerId === b.proposerId;

/* Is ballot a higher than b? */
const higherBallot = (a, b) =>
  a.proposalNumber > b.proposalNumber || (a.proposalNumber === b.proposalNumber && a.proposerId > b.proposerId);

/* What a value looks like: strings bare, the rest as JSON. */
const formatValue = (value) => typeof value === "string" ? value : JSON.stringify(value);
