#!/usr/bin/env python3
"""Logs of runs in which nodes were killed, as `lab compare` reads, judges, tells and draws them. Made by hand."""

import re

from ordem import *


class Run:
    """The lines of nodes, clients and the lab, a millisecond apart, and the files that hold them."""

    def __init__(self):
        self.lines, self.now, self.ordem_local = {}, 0, {}

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="ordem-test-")
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def line(self, file, node, event, **fields):
        self.now += 1
        seconds, ms = divmod(self.now, 1000)
        record = {"ts": f"2026-01-01T00:00:{seconds:02}.{ms:03}000Z", "level": "info", "node": node, "event": event}
        self.lines.setdefault(file, []).append(json.dumps(record | fields, separators=(",", ":")))

    def start(self, node, role="node"):
        self.ordem_local[node] = 0
        self.line(node, node, "start", part="parte3", role=role)
        self.line(node, node, "ready")

    def command(self, number, **more):
        return {"message_uuid": f"{number:08}-0000-4000-8000-000000000000", "sender_id": "node1", "command_type": "SET",
                "key": f"k{number % 2}", "value": f"v{number}"} | more

    def order(self, number, nodes=("node1", "node2", "node3")):
        """A client asks node1, the sequencer gives the number, the nodes deliver, the client is told."""
        self.line("clients", "client1", "invoke", **self.command(number))
        self.line("node1", "node1", "send", **self.command(number))
        self.line("sequencer", "sequencer", "receive", **self.command(number))
        self.line("sequencer", "sequencer", "send", **self.command(number, seq=number))
        for node in nodes:
            self.deliver(node, number)
        self.line("clients", "client1", "complete", message_uuid=self.command(number)["message_uuid"], status="ok",
                  seq=number, command_type="SET", key=f"k{number % 2}", latency_us=1000 * number)

    def deliver(self, node, number):
        self.ordem_local[node] += 1
        self.line(node, node, "deliver", **self.command(number, seq=number), ordem_local=self.ordem_local[node])

    def read(self, number, key, value, node="node1"):
        uuid = f"{number:08}-1111-4000-8000-000000000000"
        self.line("clients", "client2", "invoke", message_uuid=uuid, sender_id=node, command_type="GET", key=key)
        self.line("clients", "client2", "complete", message_uuid=uuid, status="ok", value=value, command_type="GET",
                  key=key, latency_us=500)

    def lab(self, action, target):
        self.line("lab", "lab", action, target=target)

    def stop(self, *nodes):
        self.now += 1000
        for node in nodes:
            self.line(node, node, "stop", ordem_local=self.ordem_local[node], keys=2)

    def write(self):
        for file, lines in self.lines.items():
            with open(f"{self.folder}/{file}.jsonl", "w", encoding="utf-8") as out:
                out.write("\n".join(lines) + "\n")

    def compare(self, *arguments):
        status, out, err = lab("compare", "--json", self.folder, *arguments)
        assert err == "", err
        return status, json.loads(out)


def a_run_with_a_crash(run, installed=4):
    for node in ("node1", "node2", "node3"):
        run.start(node)
    run.start("sequencer", "sequencer")
    for number in (1, 2, 3):
        run.order(number)
    run.lab("kill", "node3")
    run.order(4, ("node1", "node2"))
    run.read(1, "k0", "v4")
    run.lab("restart", "node3")
    run.start("node3")
    run.line("node3", "node3", "recover", installed_seq=installed, **{"from": "node2"}, keys=2, ordem_local=0)
    run.order(5)
    run.order(6)
    run.stop("node1", "node2", "node3", "sequencer")
    run.write()


def outcomes(judgement):
    return {name: verdict["outcome"] for name, verdict in judgement["verdicts"].items()}


def test_a_crash_and_a_state_that_covers_it_keep_every_promise():
    with Run() as run:
        a_run_with_a_crash(run)
        status, judgement = run.compare()
        assert status == 0 and set(outcomes(judgement).values()) == {"holds"}, judgement
        assert judgement["nodes"] == 3 and judgement["coordinators"] == 1 and judgement["problems"] == []
        assert judgement["lives"] == {"node1": 1, "node2": 1, "node3": 2, "sequencer": 1}
        assert [(i["event"], i["target"]) for i in judgement["interventions"]] == [("kill", "node3"), ("restart", "node3")]
        assert judgement["clients"] == {"operations": 7, "ok": 7, "error": 0, "unknown": 0,
                                        "latency_us": {"p50": 3000, "p99": 6000},
                                        "longest_silence_us": 12000}  # from v4 read to v5 set
        text = lab("compare", run.folder)[1]
        assert "3 nodes, 1 other process, 6 commands, 17 deliveries" in text, text
        assert "clients: 7 operations, 7 ok, 0 errors, 0 unknown; ok after 3.0 ms (p50), 6.0 ms (p99)" in text
        assert "kill node3" in text and "restart node3" in text
        assert "✓ gap-free seq" in text and "✓ linearizable reads" in text


def test_a_state_that_lacks_something_is_found_out():
    with Run() as run:
        a_run_with_a_crash(run, installed=3)
        status, judgement = run.compare()
        gap = judgement["verdicts"]["gap_free_seq"]
        assert status == 1 and gap["outcome"] == "violated" and gap["count"] == 1
        assert "node3 delivered number 5" in gap["story"] and "it left out number 4" in gap["story"], gap
        assert [json.loads(line["text"])["event"] for line in gap["evidence"]] == ["recover", "deliver", "deliver"]
        text = lab("compare", run.folder)[1]
        assert re.search(r"node3\.jsonl:\d+ +[0-9:.]+ +node3 +recover +from node2 +installed_seq=3", text), text


def test_what_does_not_apply_is_not_shown_but_named_for_programs():
    with Run() as run:
        run.start("node1")
        run.start("node2")
        command = run.command(1)
        run.line("node1", "node1", "send", **command)
        for node in ("node1", "node2"):
            run.line(node, node, "deliver", **command, ordem_local=1)
            run.ordem_local[node] = 1
        run.now += 1000
        for node in ("node1", "node2"):
            run.line(node, node, "stop", ordem_local=1)
        run.write()
        status, judgement = run.compare()
        assert status == 0 and judgement["outcome"] == "holds" and judgement["clients"] is None
        assert outcomes(judgement)["gap_free_seq"] == outcomes(judgement)["linearizable_reads"] == "not_applicable"
        assert "gap-free" not in lab("compare", run.folder)[1]


def test_a_line_that_a_kill_cut_is_no_damage():
    with Run() as run:
        a_run_with_a_crash(run)
        path = f"{run.folder}/node3.jsonl"
        lines = open(path, encoding="utf-8").read().splitlines(keepends=True)
        restart = [i for i, line in enumerate(lines) if '"start"' in line][1]
        torn = lines[2][:len(lines[2]) // 2]  # as the node's next life finds it: it ends the line and goes on
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(lines[:restart] + [torn + "\n"] + lines[restart:])
        status, judgement = run.compare()
        assert status == 0 and judgement["problems"] == [], judgement["problems"]
        with open(path, "w", encoding="utf-8") as file:  # somewhere else it is damage
            file.writelines(lines[:restart + 3] + [torn + "\n"] + lines[restart + 3:])
        status, judgement = run.compare()
        assert status == 2 and "1 damaged or cut line" in judgement["problems"][0], judgement["problems"]


def test_a_log_may_end_within_a_line_only_if_its_node_was_killed():
    for killed in (True, False):
        with Run() as run:
            for node in ("node1", "node2", "node3"):
                run.start(node)
            run.start("sequencer", "sequencer")
            for number in (1, 2, 3):
                run.order(number)
            if killed:
                run.lab("kill", "node3")
            run.stop("node1", "node2", "sequencer")
            run.write()
            path = f"{run.folder}/node3.jsonl"
            lines = open(path, encoding="utf-8").read().splitlines(keepends=True)
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(lines[:-1] + [lines[-1][:40]])
            status, judgement = run.compare()
            assert status == (0 if killed else 2), judgement
            assert len(judgement["problems"]) == (0 if killed else 1), judgement["problems"]
            if not killed:
                assert "node3.jsonl" in judgement["problems"][0], judgement["problems"]


def test_a_stale_read_is_shown_with_its_lines():
    with Run() as run:
        a_run_with_a_crash(run)
        run.read(2, "k0", "v4", node="node3")  # k0 is v6 by now
        run.write()
        status, judgement = run.compare()
        verdict = judgement["verdicts"]["linearizable_reads"]
        assert status == 1 and verdict["outcome"] == "violated"
        assert "client2 read k0=\"v4\" at node3" in verdict["story"], verdict["story"]
        for line in verdict["evidence"]:
            text = open(line["file"], encoding="utf-8").read().split("\n")[line["line"] - 1]
            assert text == line["text"] and json.loads(text)["event"] in ("invoke", "complete")
        assert 'GET k0 → "v4"  ok' in lab("compare", run.folder)[1]


def test_the_drawing_has_clients_and_the_lab_and_obeys_its_rules():
    with Run() as run:
        a_run_with_a_crash(run)
        drawing = f"{run.folder}/shiviz.log"
        assert run.compare("--shiviz", drawing)[0] == 0
        with open(drawing, encoding="utf-8") as file:
            pattern, delimiter, *rest = file.read().split("\n")
        found = re.findall(pattern.replace("(?<", "(?P<"), "\n".join(rest))
        assert len(found) * 2 == len(rest) - 1
        clocks, last = {}, {}
        for event, host, clock in found:
            clock = json.loads(clock)
            assert clock[host] == last.get(host, {}).get(host, 0) + 1, (event, host)
            last[host] = clock
            clocks[event, host] = clock
        assert set(last) == {"node1", "node2", "node3", "sequencer", "client1", "client2", "lab"}

        def before(cause, effect):
            return all(clocks[effect].get(host, 0) >= count for host, count in clocks[cause].items())

        command = 'SET k0="v2"'
        chain = [(f"invoke {command}", "client1"), (f"send {command}", "node1"), (f"receive {command}", "sequencer"),
                 (f"send {command} seq=2", "sequencer"), (f"deliver {command} seq=2", "node2")]
        assert all(before(*pair) for pair in zip(chain, chain[1:]))
        assert before((f"send {command}", "node1"), (f"complete {command} seq=2", "client1"))
        assert before(("restart node3", "lab"), ("recover from node2 seq=4", "node3"))
        assert not before((f"deliver {command} seq=2", "node2"), (f"deliver {command} seq=2", "node3"))


if __name__ == "__main__":
    main(sys.modules[__name__])
