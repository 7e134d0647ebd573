#!/usr/bin/env python3
"""`lab run paxos`: proposers, acceptors and learners as real processes, and clients that go on while members of them die,
stand still, or are cut off. Whatever happens, what the judge finds must hold: nothing acknowledged is lost, reads are
linearizable, the learners end equal."""

import datetime

from lab_runs import Run
from ordem import *

# Three seconds of five clients who write, and wait for as long as a slow machine may need.
USERS = ["--writers", "5", "--rate", "60", "--ops", "900", "--keys", "20", "--timeout", "60s"]
PROPOSERS = ["proposer-1", "proposer-2", "proposer-3"]


def expect_all_holds(run):
    assert run.status == 0 and run.outcomes() == {}, (run.outcomes(), run.judgement["verdicts"])


def test_what_clients_ask_for_is_decided_and_every_learner_has_it():
    with Run("paxos", "--ops", "300", "--reads", "0.3", "--rate", "100", "--timeout", "60s") as run:
        expect_all_holds(run)
        requests = run.requests()
        assert len(requests) == 300 and run.statuses() == {"ok": 300}, run.statuses()
        sets = {}
        for invocation, completion in requests:
            assert invocation["sender_id"] == invocation["node"] == completion["node"]
            assert ("value" in completion) == (invocation["command_type"] == "GET")
            if invocation["command_type"] == "SET":
                sets[invocation["message_uuid"]] = (invocation["key"], invocation["value"], invocation["node"])
        orders = []
        for number in (1, 2, 3):
            delivered = run.events(f"learner-{number}", "deliver")
            orders.append([event["message_uuid"] for event in delivered])
            assert {event["message_uuid"]: (event["key"], event["value"], event["sender_id"]) for event in delivered
                    if event["command_type"] == "SET"} == sets
            assert [event["seq"] for event in delivered] == list(range(1, len(delivered) + 1))
        assert orders[0] == orders[1] == orders[2]
        assert run.judgement["verdicts"]["linearizable_reads"]["finding"].startswith("all ")
        assert run.judgement["nodes"] == 3 and run.judgement["coordinators"] == 6
        assert not os.path.exists(os.path.join(run.folder, "lab.jsonl"))


def test_as_many_members_as_asked_for_and_each_knows_all():
    with Run("paxos", "--proposers", "2", "--acceptors", "5", "--learners", "1", "--ops", "60", "--writers", "2",
             "--rate", "100", "--timeout", "60s") as run:
        assert run.statuses() == {"ok": 60}
        logs = sorted(name for name in os.listdir(run.folder) if name.endswith(".jsonl"))
        assert logs == ["acceptor-1.jsonl", "acceptor-2.jsonl", "acceptor-3.jsonl", "acceptor-4.jsonl",
                        "acceptor-5.jsonl", "clients.jsonl", "learner-1.jsonl", "proposer-1.jsonl", "proposer-2.jsonl"]
        # One learner has nobody to be compared with.
        assert run.outcomes() == {"total_order": "unknown", "convergence": "unknown"}, run.outcomes()
        again, out, err = lab("run", "--again", run.folder, "--json", "--out", f"{run.folder}/again")
        assert again == 2 and err == "" and json.loads(out)["clients"]["ok"] == 60


def test_the_leader_dies_while_five_write():
    with Run("paxos", *USERS, "--kill", "leader@1s", "--restart-after", "3s") as run:
        expect_all_holds(run)
        (kill, dead), (restart, back) = run.planned()
        assert (kill, restart) == ("kill", "restart") and dead == back
        successors = run.successors(dead, *PROPOSERS)
        assert successors != [] and successors[0] != dead, (dead, successors)
        # Clients tried again at others, so that all were answered.
        assert run.statuses() == {"ok": 900}, run.statuses()
        assert run.judgement["lives"][dead] == 2
        assert run.judgement["clients"]["longest_silence_us"] > 0


def test_two_of_five_acceptors_die_for_good():
    with Run("paxos", *USERS, "--acceptors", "5", "--kill", "acceptor-2@800ms", "--kill", "acceptor-5@1200ms") as run:
        expect_all_holds(run)
        assert run.statuses() == {"ok": 900}, run.statuses()


def test_without_a_majority_nothing_is_done_until_one_is_back():
    # Clients go on asking for ten seconds after there is a majority again, and longer if nobody leads at once: what timed
    # out while there was none is no reason to give up.
    with Run("paxos", "--writers", "3", "--rate", "10", "--ops", "600", "--timeout", "3s", "--in-flight", "4",
             "--acceptors", "5", "--kill", "acceptor-1@1s", "--kill", "acceptor-2@1s", "--kill", "acceptor-3@1s",
             "--restart-after", "9s") as run:
        assert run.outcomes() == {}, run.outcomes()
        # A kill is logged before it is carried out. Of what was asked after the third, the first may slip through.
        killed, restarted = run.log("lab")[2]["ts"], run.log("lab")[3]["ts"]
        requests = run.requests()
        assert len(requests) == 600 and run.events("clients", "give_up") == [], run.statuses()
        down = [completion["status"] for invocation, completion in requests
                if invocation["ts"] > killed and completion["ts"] < restarted]
        assert down != [] and "ok" not in down[len(down) // 2:], down
        after = [completion["status"] for _, completion in requests if completion["ts"] > restarted]
        assert "ok" in after, after


def test_a_learner_dies_and_comes_back_with_all_it_missed():
    with Run("paxos", *USERS, "--kill", "learner-2@1s", "--restart-after", "1s") as run:
        expect_all_holds(run)
        assert run.statuses() == {"ok": 900} and run.judgement["lives"]["learner-2"] == 2


def test_a_leader_with_a_minority_is_replaced():
    with Run("paxos", *USERS, "--partition", "leader,acceptor-1@800ms-4s") as run:
        expect_all_holds(run)
        (cut, side), (heal, _) = run.planned()
        old = side.partition(",")[0]
        assert (cut, heal) == ("partition", "heal") and side == f"{old},acceptor-1"
        assert set(run.successors(old, *PROPOSERS)) - {old} != set()
        assert run.statuses().get("ok", 0) > 800, run.statuses()


def test_a_leader_that_stood_still_does_no_harm():
    with Run("paxos", *USERS, "--pause", "leader@800ms-4s") as run:
        expect_all_holds(run)
        old = run.planned()[0][1]
        assert set(run.successors(old, *PROPOSERS)) - {old} != set()
        assert run.statuses().get("ok", 0) > 800, run.statuses()


def test_a_pause_is_as_long_as_planned_though_nobody_led_when_it_was_to_begin():
    with Run("paxos", *USERS, *[word for name in PROPOSERS for word in ("--kill", f"{name}@500ms")],
             "--restart-after", "2s", "--pause", "leader@1s-2s") as run:
        expect_all_holds(run)
        lab_log = run.log("lab")
        pause, resume = (next(event for event in lab_log if event["event"] == kind) for kind in ("pause", "resume"))
        assert pause["target"] == resume["target"] and pause["ts"] > max(e["ts"] for e in lab_log if e["event"] == "restart")
        length = datetime.datetime.fromisoformat(resume["ts"]) - datetime.datetime.fromisoformat(pause["ts"])
        assert length.total_seconds() > 0.8


def test_everybody_dies_at_once_and_nothing_acknowledged_is_lost():
    members = [f"{role}-{number}" for role in ("proposer", "acceptor", "learner") for number in (1, 2, 3)]
    with Run("paxos", *USERS, *[word for name in members for word in ("--kill", f"{name}@1s")],
             "--restart-after", "700ms") as run:
        expect_all_holds(run)
        assert all(run.judgement["lives"][name] == 2 for name in members)
        killed = [event["ts"] for event in run.log("lab") if event["event"] == "kill"][-1]
        after = [completion["status"] for invocation, completion in run.requests() if invocation["ts"] > killed]
        assert after.count("ok") > 100, after


def test_a_store_dies_behind_the_learners():
    with Run("paxos", *USERS, "--stores", "3", "--kill", "store-2@1s", "--restart-after", "1s") as run:
        expect_all_holds(run)
        assert run.statuses().get("ok", 0) > 850, run.statuses()
        assert run.judgement["lives"]["store-2"] == 2


def test_who_cannot_be_killed_is_named():
    for arguments, words in [(["--kill", "node1@1s"], 'there is no "node1" in this run'),
                             (["--kill", "acceptor-4@1s"], 'there is no "acceptor-4"'),
                             (["--partition", "leader,acceptor-9@1s-2s"], 'there is no "acceptor-9"'),
                             (["--acceptors", "0"], "--acceptors"), (["--proposers", "32"], "--proposers")]:
        status, out, err = lab("run", "paxos", *arguments)
        assert status == 2 and out == "" and words in err and err.count("\n") == 1, (arguments, status, out, err)


if __name__ == "__main__":
    main(sys.modules[__name__])
