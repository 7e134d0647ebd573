"use strict";
/* What the page says, in English and in Portuguese: the browser's language decides, or ?lang=en and ?lang=pt. */

const WORDS = {
  title: ["Paxos, as {0} sees it", "Paxos, como {0} o vê"],
  lead: ["Five kinds of processes, one order of commands. A tile is a process; click it for all that it tells.",
         "Cinco tipos de processo, uma ordem de comandos. Cada quadro é um processo; clique nele para ver tudo o que ele diz."],
  theme: ["Light or dark", "Claro ou escuro"],
  other_language: ["Português", "English"],
  offline: ["{0} does not answer: what is shown is {1} old.", "{0} não responde: o que se vê é de {1} atrás."],

  proposer: ["Proposers", "Proposers"],
  acceptor: ["Acceptors", "Acceptors"],
  learner: ["Learners", "Learners"],
  store: ["Stores", "Stores"],
  client: ["Clients", "Clientes"],
  proposer_does: ["one of them leads", "um deles lidera"],
  acceptor_does: ["what is promised and accepted", "o que foi prometido e aceito"],
  learner_does: ["apply what is decided", "aplicam o que foi decidido"],
  store_does: ["copies of the data", "cópias dos dados"],
  client_does: ["ask", "pedem"],

  leads: ["{0} leads with ballot {1}", "{0} lidera com a cédula {1}"],
  nobody_leads: ["Nobody leads: writes wait", "Ninguém lidera: as escritas esperam"],
  nobody_known: ["No proposer has answered yet", "Nenhum proposer respondeu ainda"],
  leader_now: ["{0} leads since {1}; before it {2}", "{0} lidera desde {1}; antes, {2}"],
  leader_until: ["{0} led until {1}", "{0} liderou até {1}"],
  applied_to: ["instance {0} is applied", "a instância {0} está aplicada"],
  per_second: ["{0} commands/s", "{0} comandos/s"],
  up_count: ["{0} of {1} processes answer", "{0} de {1} processos respondem"],

  leading: ["leads", "lidera"],
  preparing: ["prepares", "prepara"],
  following: ["follows", "segue"],
  down: ["does not answer", "não responde"],
  unknown: ["not asked yet", "ainda não perguntado"],
  serves: ["serves reads", "serve leituras"],
  serves_not: ["does not serve", "não serve"],
  up: ["answers", "responde"],
  in_majority: ["is with the leader", "está com o líder"],
  load_on: ["makes load", "gera carga"],
  this_one: ["this page", "esta página"],

  ballot: ["ballot", "cédula"],
  next_instance: ["next instance", "próxima inst."],
  in_flight: ["under way", "em curso"],
  promised: ["promised", "prometida"],
  last_instance: ["last instance", "última inst."],
  held: ["held", "guardadas"],
  applied: ["applied", "aplicada"],
  checkpoint: ["checkpoint", "checkpoint"],
  resources: ["resources", "recursos"],
  version: ["version", "versão"],
  pending: ["pending", "pendentes"],
  done: ["done", "feitas"],
  failed: ["failed", "falharam"],

  operation: ["Write and read", "Escrever e ler"],
  resource: ["Resource", "Recurso"],
  value: ["Value", "Valor"],
  write: ["Write", "Escrever"],
  read: ["Read", "Ler"],
  read_all: ["Read all", "Ler tudo"],
  stale: ["stale is good enough", "pode estar desatualizado"],
  asking: ["asking…", "perguntando…"],
  decided: ["Decided in instance {0} by proposer-{1}", "Decidido na instância {0} pelo proposer-{1}"],
  answered: ["Answered", "Respondido"],
  took: ["{0}, {1} tries", "{0}, {1} tentativas"],
  took_one: ["{0}, at once", "{0}, de primeira"],
  absent: ["{0} has no value", "{0} não tem valor"],
  old: ["{0} old", "de {0} atrás"],
  refused: ["Not done", "Não foi feito"],

  load: ["Load", "Carga"],
  rate: ["Operations a second", "Operações por segundo"],
  keys: ["Keys", "Chaves"],
  read_share: ["Share of reads, %", "Parte de leituras, %"],
  size: ["Bytes of a value", "Bytes de um valor"],
  operations: ["How many (0: no end)", "Quantas (0: sem fim)"],
  start: ["Start", "Começar"],
  stop: ["Stop", "Parar"],
  p50: ["half within", "metade em até"],
  median: ["median", "mediana"],
  p99: ["99 % within", "99 % em até"],
  now: ["now", "agora"],
  left_out: ["left out", "omitidas"],

  history: ["What was asked here", "O que foi pedido aqui"],
  history_empty: ["Nothing yet.", "Nada ainda."],
  time: ["Time", "Hora"],
  what: ["What", "O quê"],
  answer: ["Answer", "Resposta"],
  instance: ["Instance", "Instância"],
  latency: ["Took", "Levou"],
  from_http: ["page", "página"],
  from_prompt: ["prompt", "prompt"],
  from_load: ["load", "carga"],

  logs: ["What the processes say", "O que os processos dizem"],
  logs_note: ["The important lines of all logs, by time, the newest first.", "As linhas importantes de todos os logs, por hora, a mais nova primeiro."],
  filter: ["Filter", "Filtro"],
  everybody: ["everybody", "todos"],
  any_level: ["all levels", "todos os níveis"],
  from_warning: ["warnings and errors", "avisos e erros"],
  no_lines: ["No line fits.", "Nenhuma linha serve."],

  close: ["Close", "Fechar"],
  peers: ["Whom it talks to", "Com quem fala"],
  name: ["Name", "Nome"],
  address: ["Address", "Endereço"],
  circuit: ["Circuit", "Circuito"],
  failures: ["Failures", "Falhas"],
  last_error: ["Last error", "Último erro"],
  last_lines: ["Its last important lines", "Suas últimas linhas importantes"],
};

/* "pt-BR" or "en" */
function chooseLanguage() {
  const asked = new URLSearchParams(location.search).get("lang") ?? navigator.languages?.[0] ?? navigator.language ?? "en";
  return asked.toLowerCase().startsWith("pt") ? "pt-BR" : "en";
}

const language = chooseLanguage();

/* A text in the reader's language; {0} and so on are replaced by the arguments. */
function word(name, ...values) {
  const texts = WORDS[name];
  return texts[language === "en" ? 0 : 1].replace(/\{(\d)\}/g, (_, i) => values[i]);
}
