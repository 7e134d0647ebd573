#!/usr/bin/python3
"""`lab run` of parts 2 to 4: real replicas behind a real RabbitMQ, real clients, and what is planned to happen to them.

What the runs prove about the parts is the judge's business; here the runs themselves are looked at."""

import datetime
import re

import lab_runs
from lab_runs import send_signal
from ordem import *

PARTS = ("parte2", "parte3", "parte4")
NODES = ("node1", "node2", "node3")


class Run(lab_runs.Run):
    """One run, on the shared broker unless `private`."""

    def __init__(self, part, *arguments, private=False, **others):
        if not private:
            others["AMQP_URL"] = shared_broker().url
        super().__init__(part, *arguments, **others)


def commands_by_writer(events):
    found = {}
    for event in events:
        writer = event["node"].removeprefix("client").removeprefix("node").partition(".")[0]
        found.setdefault(writer, []).append((event["command_type"], event["key"], event.get("value")))
    return found


def test_every_part_answers_every_client():
    for part in PARTS:
        with Run(part, "--timeout", "60s") as run:
            requests = run.requests()
            assert len(requests) == 300 and run.statuses() == {"ok": 300}, run.statuses()
            for invocation, completion in requests:
                assert invocation["node"] == completion["node"] and invocation["ts"] <= completion["ts"]
                assert completion["latency_us"] >= 0 and "reason" not in completion
                assert ("value" in completion) == (invocation["command_type"] == "GET")
            # What the clients asked for is what the nodes did, under the same names.
            sets = {invocation["message_uuid"]: (invocation["key"], invocation["value"])
                    for invocation, _ in requests if invocation["command_type"] == "SET"}
            delivered = {event["message_uuid"]: (event["key"], event["value"]) for node in NODES
                         for event in run.events(node, "deliver") if event["command_type"] == "SET"}
            assert delivered == sets, part
            assert not os.path.exists(os.path.join(run.folder, "lab.jsonl"))
    wait_until(lambda: shared_broker().list_queues() == [], "the end of all queues on a broker that others use")


def test_one_seed_is_one_workload_in_every_part():
    stories = []
    with tempfile.TemporaryDirectory(prefix="ordem-test-") as folder:
        status, _, err = lab("run", "parte1", "--seed", "9", "--ops", "60", "--out", folder)
        assert status in (0, 1, 2) and err == "", err  # what the judge makes of it does not matter here
        sent = []
        for number in (1, 2, 3):
            sent += read_log(f"{folder}/node{number}.jsonl", "send")
        stories.append(commands_by_writer(sent))
    for part in PARTS:
        with Run(part, "--seed", "9", "--ops", "60") as run:
            stories.append(commands_by_writer([invocation for invocation, _ in run.requests()]))
    assert stories[0] == stories[1] == stories[2] == stories[3]
    with Run("parte2", "--seed", "10", "--ops", "60") as run:
        assert commands_by_writer([invocation for invocation, _ in run.requests()]) != stories[0]


def test_reads_are_as_many_as_asked_for():
    for share, low, high in (("0", 0, 0), ("0.5", 100, 200), ("1", 300, 300)):
        with Run("parte2", "--reads", share) as run:
            gets = sum(invocation["command_type"] == "GET" for invocation, _ in run.requests())
            assert low <= gets <= high, (share, gets)


def test_sets_go_to_the_leader_and_gets_to_the_clients_own_node():
    with Run("parte4", "--writers", "4") as run:
        for invocation, _ in run.requests():
            writer = int(invocation["node"].removeprefix("client"))
            own = f"node{(writer - 1) % 3 + 1}"
            assert invocation["sender_id"] == ("node1" if invocation["command_type"] == "SET" else own)
            assert 1 <= writer <= 4


def test_a_client_asks_one_thing_after_the_other():
    for arguments, clients in ((["--rate", "0", "--in-flight", "4"], 12), (["--rate", "0"], 96), (["--in-flight", "2"], 6), ([], 3)):
        with Run("parte3", "--ops", "1000", "--wait", *arguments) as run:
            waiting = {}
            for event in run.log("clients"):
                assert waiting.get(event["node"]) == (event["message_uuid"] if event["event"] == "complete" else None)
                waiting[event["node"]] = event["message_uuid"] if event["event"] == "invoke" else None
            assert clients / 4 <= len(waiting) <= clients, (arguments, len(waiting))


def test_who_waits_learns_the_place_of_the_command():
    with Run("parte3", "--wait", "--timeout", "60s") as run:
        places = {event["message_uuid"]: event["seq"] for node in NODES for event in run.events(node, "deliver")}
        for invocation, completion in run.requests():
            if invocation["command_type"] == "SET":
                assert completion["seq"] == places[invocation["message_uuid"]]


def test_a_killed_node_is_started_again_with_the_same_log():
    with Run("parte2", "--kill", "node2@3500ms", "--restart-after", "200ms", "--rate", "50", "--ops", "900") as run:
        assert run.planned() == [("kill", "node2"), ("restart", "node2")]
        assert len(run.events("node2", "start")) == 2 and len(run.events("node2", "ready")) == 2
        assert len(run.events("node2", "stop")) == 1 and len(run.events("node1", "start")) == 1
        statuses = run.statuses()
        assert set(statuses) <= {"ok", "error", "unknown"} and sum(statuses.values()) == 900
        killed, restarted = (event["ts"] for event in run.log("lab"))
        asked = [completion for invocation, completion in run.requests() if invocation["sender_id"] == "node2"]
        assert any(completion["ts"] < killed for completion in asked)
        assert any(completion["ts"] > restarted and completion["status"] == "ok" for completion in asked)
        for completion in asked:
            if completion["status"] != "ok":
                assert completion["reason"] != "", completion


def test_the_sequencer_and_the_leader_can_be_killed():
    with Run("parte3", "--kill", "sequencer@200ms", "--restart-after", "200ms", "--wait") as run:
        assert run.planned() == [("kill", "sequencer"), ("restart", "sequencer")]
        assert len(run.events("sequencer", "start")) == 2
        assert "error" not in run.statuses(), run.statuses()
    with Run("parte4", "--kill", "leader@200ms", "--restart-after", "200ms") as run:
        assert run.planned() == [("kill", "node1"), ("restart", "node1")]
        assert len(run.events("node1", "start")) == 2 and os.path.isdir(os.path.join(run.folder, "node1.data"))


def test_a_private_broker_can_be_killed_and_paused():
    with Run("parte3", "--kill", "broker@200ms", "--restart-after", "100ms", "--wait", private=True) as run:
        assert run.planned() == [("kill", "broker"), ("restart", "broker")]
        assert set(run.statuses()) <= {"ok", "unknown"}, run.statuses()
        assert any(event["ts"] > run.log("lab")[0]["ts"] for event in run.events("node1", "disconnect"))
        assert not [name for name in os.listdir(run.folder) if name.startswith("broker")], "its scratch folder stays"
    with Run("parte2", "--pause", "broker@100ms-400ms", "--timeout", "60s", private=True) as run:
        assert run.planned() == [("pause", "broker"), ("resume", "broker")]
        assert run.statuses() == {"ok": 300}


def test_a_paused_node_goes_on_later():
    with Run("parte2", "--pause", "node3@100ms-600ms", "--pause", "node1@300-400ms", "--timeout", "60s") as run:
        assert run.planned() == [("pause", "node3"), ("pause", "node1"), ("resume", "node1"), ("resume", "node3")]
        assert run.statuses() == {"ok": 300}
        assert len(run.events("node3", "start")) == 1 and len(run.events("node3", "stop")) == 1


def length_of(run, beginning, end):
    """Seconds between two planned events."""
    first, last = (next(event["ts"] for event in run.log("lab") if event["event"] == kind) for kind in (beginning, end))
    return (datetime.datetime.fromisoformat(last) - datetime.datetime.fromisoformat(first)).total_seconds()


def test_a_pause_is_as_long_as_planned_also_when_the_lab_is_late():
    def hold_the_lab_up(run):
        run.wait_for("node1", "deliver", 1)
        run.process.send_signal(signal.SIGSTOP)
        time.sleep(3)
        run.process.send_signal(signal.SIGCONT)

    with Run("parte2", "--pause", "node3@1s-2s", meanwhile=hold_the_lab_up) as run:
        assert run.planned() == [("pause", "node3"), ("resume", "node3")]
        assert length_of(run, "pause", "resume") > 0.8


def expect_all_but_reads(run):
    assert set(run.outcomes()) <= {"linearizable_reads"}, run.judgement["verdicts"]


def test_who_stands_still_is_not_taken_for_quiet():
    """In each run somebody stops in the midst of it and goes on when all others have long had nothing to do."""
    def stand_still(run, name, watched, kind, last):
        run.wait_for(watched, kind, last // 4)
        stopped = run.processes(name)
        send_signal(stopped, signal.SIGSTOP)
        run.wait_for(watched, kind, last)
        time.sleep(2.5)
        send_signal(stopped, signal.SIGCONT)

    with Run("parte3", "--rate", "100", "--ops", "900",
             meanwhile=lambda run: stand_still(run, "sequencer", "clients", "complete", 900)) as run:
        expect_all_but_reads(run)
    with Run("parte1", "--rate", "50", meanwhile=lambda run: stand_still(run, "node2", "node1", "send", 100)) as run:
        assert run.judgement["verdicts"]["delivery"]["outcome"] == "holds", run.judgement["verdicts"]
        assert [len(run.events(name, "deliver")) for name in ("node1", "node2", "node3")] == [300, 300, 300]


def test_a_broker_that_stands_still_is_not_taken_for_the_end():
    def stand_still(run):
        # Held back by a sequencer, there is still much to come when all clients have been answered.
        run.wait_for("clients", "complete", 200)
        sequencer, broker = run.processes("sequencer"), run.processes("beam.smp")
        send_signal(sequencer, signal.SIGSTOP)
        run.wait_for("clients", "complete", 300)
        send_signal(broker, signal.SIGSTOP)
        send_signal(sequencer, signal.SIGCONT)
        time.sleep(2.5)
        send_signal(broker, signal.SIGCONT)

    with Run("parte3", "--rate", "50", private=True, meanwhile=stand_still) as run:
        expect_all_but_reads(run)


def test_who_waits_for_a_paused_node_does_not_know():
    with Run("parte2", "--pause", "node3@100ms-12s", "--ops", "90", "--rate", "60") as run:
        statuses = run.statuses()
        assert statuses["unknown"] >= 1 and "error" not in statuses, statuses
        for invocation, completion in run.requests():
            if completion["status"] == "unknown":
                assert invocation["sender_id"] == "node3" and "DEADLINE_EXCEEDED" in completion["reason"]


def test_who_is_dead_for_good_is_given_up():
    with Run("parte4", "--kill", "leader@200ms") as run:
        assert run.planned() == [("kill", "node1")]
        left = [event for event in run.log("clients") if event["event"] == "give_up"]
        assert sorted(event["node"] for event in left) == ["client1", "client2", "client3"]
        assert sum(event["count"] for event in left) + len(run.requests()) == 300
        assert len(run.events("node2", "stop")) == 1 and run.events("node1", "stop") == []
    with Run("parte2", "--kill", "broker@200ms", "--timeout", "500ms", private=True) as run:
        assert sum(event["count"] for event in run.log("clients") if event["event"] == "give_up") > 0


def test_a_cluster_outlives_the_death_of_one_broker():
    with Run("parte3", "--brokers", "3", "--kill", "broker1@300ms", "--ops", "600", "--wait", "--timeout", "60s", private=True,
             AMQP_QUEUE_TYPE="quorum") as run:
        assert run.planned() == [("kill", "broker1")]
        late = [completion for _, completion in run.requests() if completion["ts"] > run.log("lab")[0]["ts"]]
        assert sum(completion["status"] == "ok" for completion in late) > 100, run.statuses()


def test_what_is_planned_for_nobody_is_refused_in_one_line():
    for arguments, expected in (
            (["parte2", "--kill", "sequencer@1s"], 'no "sequencer" in this run, but node1, node2, node3, broker'),
            (["parte3", "--kill", "leader@1s"], 'no "leader"'), (["parte2", "--kill", "node4@1s"], 'no "node4"'),
            (["parte2", "--kill", "node2"], "node2@5s"), (["parte2", "--kill", "node2@5"], "node2@5s"),
            (["parte2", "--pause", "node2@5s"], "--for"), (["parte2", "--pause", "node2@5s-2s"], "node2@2s-4s"),
            (["parte2", "--kill", "node1@1s", "--kill", "node1@2s"], "dead"),
            (["parte2", "--restart-after", "soon"], "--restart-after"), (["parte2", "--timeout", "0"], "--timeout"),
            (["parte2", "--reads", "2"], "--reads"), (["parte2", "--reads", "x"], "--reads"),
            (["parte2", "--in-flight", "0"], "--in-flight"), (["parte2", "--brokers", "8"], "--brokers"),
            (["parte9"], "parte1, parte2, parte3"), ([], "parte1, parte2, parte3"),
            (["parte2", "--out", "/proc/nowhere"], "--out")):
        status, out, err = lab("run", *arguments)
        assert status == 2 and out == "" and expected in err and err.count("\n") == 1, (arguments, status, err)
    status, _, err = lab("run", "parte2", "--kill", "broker@1s", AMQP_URL="amqp://localhost")
    assert status == 2 and "AMQP_URL" in err, err


def test_an_error_shows_what_the_nodes_were_told_and_no_password():
    with tempfile.TemporaryDirectory(prefix="ordem-test-") as folder:
        status, out, err = lab("run", "parte2", "--out", folder, AMQP_URL="amqp://someone:s3cret@localhost:1,amqp://a:s3cret@h",
                               NET_PARTITION="node1,node1|")
        assert status == 2 and out == "", (status, out)
        assert "AMQP_URL=amqp://someone:***@localhost:1,amqp://a:***@h" in err and "QUEUE_SUFFIX=." in err, err
        assert "s3cret" not in err, err
        ended = re.search(r"lab: (node\d) ended before it was asked to \(status 1\)", err)
        assert ended and f"NODE_ID={ended[1]}" in err, err


def started(folder, marker, *arguments):
    return subprocess.Popen([program("lab"), "run", "parte3", "--out", folder, "--rate", "20", "--ops", "3000", *arguments],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"ORDEM_TEST": marker})


def test_nothing_is_left_over_however_it_ends():
    for end in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        for moment in ("starting", "running", "paused"):
            with tempfile.TemporaryDirectory(prefix="ordem-test-") as folder:
                marker = str(uuid.uuid4())
                process = started(folder, marker, *(["--pause", "node2@0s-60s"] if moment == "paused" else []))
                if moment == "starting":
                    wait_until(lambda m=marker: len(alive(f"ORDEM_TEST={m}")) >= 4, "the broker's first processes")
                else:
                    wait_until(lambda f=folder: os.path.exists(f"{f}/node1.jsonl") and
                               "deliver" in open(f"{f}/node1.jsonl").read(), "the first command")
                process.send_signal(end)
                process.communicate(timeout=LIMIT)
                assert process.returncode == (-9 if end == signal.SIGKILL else 130), (end, moment, process.returncode)
                wait_until(lambda m=marker: not alive(f"ORDEM_TEST={m}"), "the end of all that the lab had started")
                wait_until(lambda f=folder: not [n for n in os.listdir(f) if n.startswith("broker")], "the scratch folder's end")


if __name__ == "__main__":
    main(sys.modules[__name__])
