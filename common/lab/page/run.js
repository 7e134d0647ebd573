"use strict";
/* The data of the page: words, runs, and their events, which are inflated block by block as they are needed. What they
 * look like stands in report_html_head.c and report_html_events.c. */

const BLOCKS_AT_ONCE = 5;  /* that are loaded for one view; a wider one is drawn as density */
const BLOCKS_KEPT = 12;    /* of one run */
const FLAG_REPEATED = 1;
const FLAG_LOST = 2;
const TYPES = ["SET", "GET", "PRINT"]; /* of others a text follows */
const STATUS = ["", "ok", "error", "unknown"];

let words = {};

/* A text of the page in its reader's language; {0} and so on are replaced by the arguments. */
function word(name, ...values) {
  return words[name].replace(/\{(\d)\}/g, (_, i) => values[i]);
}

/* Texts out of a log keep their direction to themselves. */
const isolated = (text) => `\u2068${text}\u2069`;

const language = document.documentElement.lang;
const formatNumber = (number, digits = 0) =>
  number.toLocaleString(language, {maximumFractionDigits: digits});
const formatShare = (share) =>
  share.toLocaleString(language, {style: "percent", maximumFractionDigits: 2});

/* Microseconds as a person reads them. */
function formatTime(us) {
  const size = Math.abs(us);
  if (size < 1000) return `${formatNumber(us)} µs`;
  if (size < 1e6) return `${formatNumber(us / 1000, size < 1e5 ? 2 : 1)} ms`;
  return `${formatNumber(us / 1e6, 3)} s`;
}

async function inflate(id) {
  const element = document.getElementById(id);
  if (element === null) return null;
  const text = atob(element.textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function inflateJson(id) {
  const bytes = await inflate(id);
  return bytes === null ? null : JSON.parse(new TextDecoder().decode(bytes));
}

/* ---- a block ---- */

class Numbers {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  next() {
    let byte = this.bytes[this.at++];
    if (byte < 0x80) return byte;
    let number = byte & 0x7f;
    let scale = 128;
    do {
      byte = this.bytes[this.at++];
      number += (byte & 0x7f) * scale;
      scale *= 128;
    } while (byte >= 0x80);
    return number;
  }

  raw(count) {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  column(array) {
    for (let i = 0; i < array.length; i++) array[i] = this.next();
    return array;
  }

  /* Told by their distance from the same process's one before; NaN where there is none. */
  distances(count, process) {
    const array = new Float64Array(count);
    const previous = [];
    for (let i = 0; i < count; i++) {
      const told = this.next();
      if (told === 0) {
        array[i] = NaN;
      } else {
        previous[process[i]] = (previous[process[i]] ?? 0) + unfold(told - 1);
        array[i] = previous[process[i]];
      }
    }
    return array;
  }
}

const unfold = (number) => number % 2 === 0 ? number / 2 : -(number + 1) / 2;

function readUuid(numbers, texts) {
  if (numbers.raw(1)[0] === 0) return texts(numbers.next());
  let hex = "";
  for (const byte of numbers.raw(16)) hex += byte.toString(16).padStart(2, "0");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function readCommands(numbers, count) {
  const commands = [];
  let number = 0;
  for (let i = 0; i < count; i++) {
    const type = numbers.raw(1)[0];
    number += unfold(numbers.next());
    const command = {number, sender: numbers.next(), key: numbers.next(), value: numbers.next()};
    commands.push(type < TYPES.length ? {...command, type: TYPES[type]} : {...command, type: numbers.next()});
  }
  return commands;
}

/* The texts stand at the end, so commands hold their numbers first and then what they say. */
function readTexts(numbers, count) {
  const lengths = numbers.column(new Float64Array(count));
  const decoder = new TextDecoder();
  return Array.from(lengths, (length) => decoder.decode(numbers.raw(length)));
}

function readBlock(bytes, first) {
  const numbers = new Numbers(bytes);
  const count = numbers.next(), commandCount = numbers.next(), textCount = numbers.next();
  const block = {first, count, kind: numbers.raw(count)};
  block.process = numbers.column(new Uint32Array(count));
  block.t = numbers.column(new Float64Array(count));
  for (let i = 1; i < count; i++) block.t[i] += block.t[i - 1];
  block.command = numbers.column(new Int32Array(count)).map((n) => n - 1);
  block.cause = numbers.column(new Float64Array(count)).map((n, i) => n === 0 ? -1 : first + i - unfold(n - 1));
  block.flags = numbers.raw(count);
  block.file = numbers.column(new Uint32Array(count));
  for (const name of ["line", "seq", "epoch", "ordem_local", "place"]) {
    block[name] = numbers.distances(count, block.process);
  }
  block.life = numbers.column(new Int32Array(count)).map((n) => n - 1);
  for (const name of ["a", "b", "c"]) block[name] = numbers.column(new Float64Array(count));
  block.commands = readCommands(numbers, commandCount);
  const later = [];
  for (const command of block.commands) {
    command.uuid = readUuid(numbers, (text) => (later.push([command, text]), null));
  }
  block.texts = readTexts(numbers, textCount);
  for (const [command, text] of later) command.uuid = block.texts[text];
  for (const command of block.commands) {
    for (const field of ["sender", "key", "value"]) command[field] = block.texts[command[field] - 1] ?? null;
    if (typeof command.type === "number") command.type = block.texts[command.type - 1] ?? "";
  }
  return block;
}

/* ---- a run ---- */

class Run {
  constructor(head, number) {
    Object.assign(this, head);
    this.number = number;
    this.loaded = new Map();
    this.loading = new Map();
    this.kind = Object.fromEntries(this.kinds.map((name, i) => [name, i]));
    this.origin = 0;
  }

  /* Block `number`, from the page if it is not there yet. */
  async load(number) {
    if (this.loaded.has(number)) return this.loaded.get(number);
    if (!this.loading.has(number)) {
      this.loading.set(number, inflate(`run${this.number}-${number}`).then((bytes) => {
        const block = readBlock(bytes, number * this.block);
        this.keep(number, block);
        return block;
      }));
    }
    return this.loading.get(number);
  }

  keep(number, block) {
    this.loading.delete(number);
    this.loaded.set(number, block);
    for (const old of this.loaded.keys()) {
      if (this.loaded.size <= BLOCKS_KEPT) break;
      if (old !== number) this.loaded.delete(old);
    }
  }

  /* The numbers of the blocks with events between two times. */
  blocksBetween(from, to) {
    const numbers = [];
    this.blocks.forEach(([first, last], number) => {
      if (last >= from && first <= to) numbers.push(number);
    });
    return numbers;
  }

  /* Where an event is, if its block is loaded: [block, place in it]. */
  find(rank) {
    const block = rank < 0 ? undefined : this.loaded.get(Math.floor(rank / this.block));
    return block === undefined ? null : [block, rank - block.first];
  }

  commandOf(block, i) {
    return block.command[i] < 0 ? null : block.commands[block.command[i]];
  }

  tellCommand(command) {
    const key = command.key === null ? "" : ` ${command.key}`;
    return command.type + key + (command.value === null ? "" : `=${command.value}`);
  }

  /* The log line of an event, as it stands in the log or out of its fields in their order there. */
  line(block, i) {
    const kind = this.kinds[block.kind[i]];
    if (block.command[i] < 0 && block.c[i] > 0) return {text: block.texts[block.c[i] - 1], rebuilt: false};
    const parts = [`"ts":"${this.timestamp(block.t[i])}"`, `"node":${JSON.stringify(this.processes[block.process[i]].name)}`,
                   `"event":"${kind}"`];
    if (kind === "fault") parts.push(`"fault":${JSON.stringify(block.texts[block.a[i] - 1] ?? "")}`);
    const command = this.commandOf(block, i);
    if (command !== null) parts.push(...this.fieldsOf(command, kind, block, i));
    for (const name of ["seq", "epoch"]) {
      if (!Number.isNaN(block[name][i])) parts.push(`"${name}":${block[name][i]}`);
    }
    if (!Number.isNaN(block.ordem_local[i])) parts.push(`"ordem_local":${block.ordem_local[i]}`);
    if (kind === "fault" && block.b[i] > 0) parts.push(`"delay_ms":${block.b[i] - 1}`);
    if (kind === "complete" && block.b[i] > 0) parts.push(`"latency_us":${block.b[i] - 1}`);
    return {text: `{${parts.join(",")}}`, rebuilt: true};
  }

  fieldsOf(command, kind, block, i) {
    const parts = [`"message_uuid":${JSON.stringify(command.uuid)}`];
    const value = kind === "complete" ? block.texts[block.c[i] - 1] ?? null : command.value;
    if (kind === "complete") parts.push(`"status":"${STATUS[block.a[i]] ?? ""}"`);
    else if (command.sender !== null) parts.push(`"sender_id":${JSON.stringify(command.sender)}`);
    parts.push(`"command_type":"${command.type}"`);
    if (command.key !== null) parts.push(`"key":${JSON.stringify(command.key)}`);
    if (value !== null) parts.push(`"value":${value}`);
    return parts;
  }

  timestamp(t) {
    const us = this.start + t;
    const date = new Date(Math.floor(us / 1000));
    return Number.isNaN(date.getTime()) ? String(us)
      : date.toISOString().replace("Z", `${String(((us % 1000) + 1000) % 1000).padStart(3, "0")}Z`);
  }
}

/* The first event at or after a time in a block. */
function firstAt(block, t) {
  let low = 0, high = block.count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (block.t[middle] < t) low = middle + 1; else high = middle;
  }
  return low;
}

async function loadRuns() {
  const runs = [];
  for (let number = 0; ; number++) {
    const head = await inflateJson(`run${number}`);
    if (head === null) return runs;
    const run = new Run(head, number);
    if (run.events > 0) {
      const block = await run.load(0);
      const starts = new Set([run.kind.send, run.kind.invoke]);
      const first = block.kind.findIndex((kind) => starts.has(kind));
      run.origin = first < 0 ? 0 : block.t[first];
    }
    runs.push(run);
  }
}
