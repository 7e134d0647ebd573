#!/usr/bin/env python3
"""`lab run parte5`: broker, proxy, reference server and three servers as real processes, with clients who ask and listen,
while members of them die, stand still, or are cut off."""

from lab_runs import Run
from ordem import *

USERS = ["--rate", "20", "--ops", "240"]  # four seconds of three clients
GUARANTEES = ["kept", "identical_data", "once", "in_order", "one_primary", "clocks", "lamport"]
SERVERS = ["server1", "server2", "server3"]
PATIENT = {"HEARTBEAT_TIMEOUT_MS": "60000"}  # nobody counts as dead


def expect_all_holds(run):
    assert run.status == 0 and run.outcomes() == {}, (run.outcomes(), run.judgement["verdicts"])
    assert list(run.judgement["verdicts"]) == GUARANTEES
    assert "not_applicable" not in [verdict["outcome"] for verdict in run.judgement["verdicts"].values()]


def test_what_clients_say_is_at_every_server_and_is_heard():
    with Run("parte5", "--rate", "5", "--ops", "60", **PATIENT) as run:
        expect_all_holds(run)
        assert run.judgement["nodes"] == 3 and run.judgement["coordinators"] == 3
        requests = run.requests()
        kinds = {}
        for invocation, completion in requests:
            assert completion["status"] == "ok" and invocation["sender_id"] == invocation["node"]
            kinds[invocation["command_type"]] = kinds.get(invocation["command_type"], 0) + 1
        assert kinds["login"] == 3 and kinds["channel"] == 5 and kinds["publish"] > 0, kinds
        assert kinds["publish"] + kinds["message"] + kinds["history"] == 60, kinds
        said = {i["message_uuid"] for i, _ in requests if i["command_type"] in ("publish", "message")}
        for number in (1, 2, 3):
            recorded = [e for e in run.events(f"server{number}", "deliver") if "message_uuid" in e]
            assert len(recorded) == len(said) + 8 and said < {e["message_uuid"] for e in recorded}
        heard = [e for e in run.events("clients", "deliver") if e["command_type"] == "publish"]
        assert {e["message_uuid"] for e in heard} <= said and {e["node"] for e in heard} == \
            {"listener1", "listener2", "listener3"}
        status, out, err = lab("compare", "--json", run.folder)
        assert status == 0 and err == "", err
        assert json.loads(out)["verdicts"] == run.judgement["verdicts"]


def test_a_broker_and_a_backup_die_and_come_back():
    with Run("parte5", *USERS, "--kill", "broker@300ms", "--kill", "backup@1500ms", "--restart-after", "500ms",
             **PATIENT) as run:
        expect_all_holds(run)
        assert [(what, whom) for what, whom in run.planned() if whom == "broker"] == [("kill", "broker"), ("restart", "broker")]
        kill = next(event for event in run.log("lab") if event["event"] == "kill" and event["target"] != "broker")
        dead = kill["target"]
        led = {who for when, who in run.leaders(*SERVERS) if when < kill["ts"]}
        assert dead in SERVERS and led - {dead} and run.judgement["lives"][dead] == 2
        assert run.statuses() == {"ok": 248}, run.statuses()


def test_the_primary_dies_and_comes_back():
    with Run("parte5", *USERS, "--kill", "primary@500ms", "--restart-after", "15s") as run:
        expect_all_holds(run)
        (_, dead), (_, back) = run.planned()
        successors = run.successors(dead, *SERVERS)
        assert back == dead and successors[0] != dead, (dead, back, successors)
        assert run.statuses() == {"ok": 248}, run.statuses()
        assert run.judgement["clients"]["longest_silence_us"] > 0


def test_a_primary_that_stood_still_accepts_nothing_more():
    with Run("parte5", *USERS, "--pause", "leader@500ms", "--for", "5s") as run:
        expect_all_holds(run)
        (pause, paused), (resume, resumed) = run.planned()
        assert (pause, resume) == ("pause", "resume") and paused == resumed
        run.successors(paused, *SERVERS)  # it led
        assert run.statuses() == {"ok": 248}, run.statuses()


def test_a_leader_of_a_shared_volume_that_stood_still_accepts_nothing_more():
    with Run("parte5-ha", *USERS, "--pause", "leader@500ms", "--for", "6s", LEASE_MS="1500") as run:
        assert run.status == 0, run.judgement["verdicts"]
        assert run.outcomes() == {"identical_data": "not_applicable", "clocks": "not_applicable"}, run.outcomes()
        paused = run.planned()[0][1]
        successors = run.successors(paused, *SERVERS)
        assert successors[0] != paused, (paused, successors)
        assert run.statuses() == {"ok": 248}, run.statuses()


def test_a_cut_that_makes_two_primaries_is_shown():
    """Cut off from the servers and the reference server, and yet reached by clients: the README says so."""
    with Run("parte5", "--rate", "20", "--ops", "420", "--partition", "primary@500ms-6s", HEARTBEAT_TIMEOUT_MS="1000",
             REPLICATION_TIMEOUT_MS="400") as run:
        cut = run.planned()[0][1]
        assert run.status == 1 and run.outcomes()["one_primary"] == "violated", run.judgement["verdicts"]
        verdicts = run.judgement["verdicts"]
        assert f"{cut} was cut off from the others" in verdicts["one_primary"]["story"], verdicts["one_primary"]
        assert verdicts["identical_data"]["outcome"] == "holds", verdicts["identical_data"]
        for name in ("once", "clocks", "lamport"):
            assert verdicts[name]["outcome"] == "holds", verdicts[name]
        assert any(e["fault"] == "partition" for e in run.events(cut, "fault"))
        others = ",".join(name for name in ("reference", "server1", "server2", "server3") if name != cut)
        assert f"{cut}|{others}" in {e.get("partition") for e in run.events("reference", "fault")}
        status, out, _ = lab("compare", "--json", run.folder)
        assert status == 1 and json.loads(out)["verdicts"] == verdicts


def test_who_only_passes_messages_on_cannot_be_cut_off():
    for part, target, named in (("parte5", "broker", "broker"), ("parte5-ha", "server1,proxy", "proxy"),
                                ("parte2", "node1,broker", "broker"), ("parte3", "broker1", "broker1")):
        brokers = ["--brokers", "3"] if target == "broker1" else []
        status, out, err = lab("run", part, *brokers, "--partition", f"{target}@1s-2s")
        assert status == 2 and out == "" and f"--partition: {named} only passes on" in err and err.count("\n") == 1, err


if __name__ == "__main__":
    main(sys.modules[__name__])
