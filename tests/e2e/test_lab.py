#!/usr/bin/env python3
"""The lab as its users meet it: real runs judged, logs from anywhere compared, nothing left running."""

import re

from ordem import *

GUARANTEES = ["delivery", "no_duplicates", "no_creation", "fifo", "causal_order", "total_order", "convergence"]


class Folder:
    """A folder for one test's logs."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="ordem-test-")
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def run(folder, *arguments):
    status, out, err = lab("run", "parte1", "--json", "--out", folder, *arguments)
    assert err == "", err
    return status, json.loads(out)


def outcomes(judgement):
    return {name: judgement["verdicts"][name]["outcome"] for name in GUARANTEES}


def test_one_writer_without_faults_keeps_every_promise():
    with Folder() as folder:
        status, judgement = run(folder, "--writers", "1", "--ops", "100")
        assert status == 0 and set(outcomes(judgement).values()) == {"holds"}, judgement
        assert judgement["commands"] == 100 and judgement["deliveries"] == 300 and judgement["problems"] == []


def test_a_delaying_network_makes_replicas_diverge_and_the_lines_prove_it():
    with Folder() as folder:
        status, judgement = run(folder, "--delay", "0-30ms")
        assert status == 1 and judgement["outcome"] == "violated"
        assert outcomes(judgement)["delivery"] == "holds"
        assert outcomes(judgement)["total_order"] == outcomes(judgement)["convergence"] == "violated"
        # The evidence of total order: two deliveries at one node, the same two the other way round at another.
        lines = []
        for evidence in judgement["verdicts"]["total_order"]["evidence"][:4]:
            with open(evidence["file"], encoding="utf-8") as file:
                line = file.read().split("\n")[evidence["line"] - 1]
            assert line == evidence["text"]
            lines.append(json.loads(line))
        a, b, c, d = lines
        assert {line["event"] for line in lines} == {"deliver"}
        assert a["node"] == b["node"] != c["node"] == d["node"]
        assert a["message_uuid"] == d["message_uuid"] and b["message_uuid"] == c["message_uuid"]
        assert a["ordem_local"] < b["ordem_local"] and c["ordem_local"] < d["ordem_local"]
        # The keys that differ are what the nodes' own last lines say.
        for key, values in judgement["differences"].items():
            assert len(set(map(json.dumps, values.values()))) > 1
            for node, value in values.items():
                sets = [e for e in read_log(f"{folder}/{node}.jsonl", "deliver")
                        if e["command_type"] == "SET" and e["key"] == key]
                assert sets[-1]["value"] == value


def test_a_losing_and_doubling_network_is_seen_through():
    with Folder() as folder:
        status, judgement = run(folder, "--loss", "0.1", "--duplicate", "0.1", "--rate", "0")
        assert status == 1
        faults = []
        for number in (1, 2, 3):
            faults += [e["fault"] for e in read_log(f"{folder}/node{number}.jsonl", "fault") if "message_uuid" in e]
        assert judgement["verdicts"]["delivery"]["count"] == faults.count("loss") > 0
        assert judgement["verdicts"]["no_duplicates"]["count"] == faults.count("duplicate") > 0
        assert "loss" in judgement["verdicts"]["delivery"]["evidence"][1]["text"]


def test_the_same_seed_types_the_same_commands_and_injects_the_same_faults():
    def story(folder):
        commands, faults = [], []
        for number in (1, 2, 3):
            events = read_log(f"{folder}/node{number}.jsonl")
            commands.append([(e["command_type"], e["key"], e.get("value")) for e in events if e["event"] == "send"])
            faults.append(sorted((e["fault"], e["sender_id"], e["key"], str(e.get("value")), e.get("delay_ms"))
                                 for e in events if e["event"] == "fault" and "message_uuid" in e))
        return commands, faults

    with Folder() as first, Folder() as second, Folder() as other:
        network = ["--ops", "60", "--delay", "0-20", "--loss", "0.1", "--duplicate", "0.1"]
        run(first, "--seed", "7", *network)
        run(second, "--seed", "7", *network)
        run(other, "--seed", "8", *network)
        assert story(first) == story(second) != story(other)


def test_a_smaller_run_into_the_same_folder_leaves_no_older_log():
    with Folder() as folder:
        run(folder, "--nodes", "4", "--ops", "20", "--writers", "1")
        _, judgement = run(folder, "--nodes", "2", "--ops", "20", "--writers", "1")
        assert judgement["nodes"] == 2
        assert sorted(n for n in os.listdir(folder) if n.endswith(".jsonl")) == ["node1.jsonl", "node2.jsonl"]


def started_lab(folder, marker, *arguments):
    process = subprocess.Popen([program("lab"), "run", "parte1", "--rate", "20", "--ops", "3000", "--out", folder, *arguments],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"ORDEM_TEST": marker})
    wait_until(lambda: len(alive(f"ORDEM_TEST={marker}")) == 4, "the lab and three nodes")
    wait_until(lambda: all(os.path.exists(f"{folder}/node{number}.jsonl") for number in (1, 2, 3))
               and "send" in open(f"{folder}/node1.jsonl").read(), "the first command")
    return process


def test_ctrl_c_leaves_no_process_behind():
    with Folder() as folder:
        marker = str(uuid.uuid4())
        process = started_lab(folder, marker)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 130
        assert alive(f"ORDEM_TEST={marker}") == []


def test_nodes_end_when_the_lab_is_killed():
    with Folder() as folder:
        marker = str(uuid.uuid4())
        process = started_lab(folder, marker)
        process.kill()
        process.communicate(timeout=LIMIT)
        wait_until(lambda: not alive(f"ORDEM_TEST={marker}"), "the nodes' end")


def test_a_node_that_dies_is_named():
    with Folder() as folder:
        marker = str(uuid.uuid4())
        process = started_lab(folder, marker)
        node2 = [pid for pid in alive(f"ORDEM_TEST={marker}")
                 if b"NODE_ID=node2" in open(f"/proc/{pid}/environ", "rb").read()]
        os.kill(node2[0], signal.SIGKILL)
        _, err = process.communicate(timeout=LIMIT)
        assert process.returncode == 2 and b"node2 ended before it was asked to (signal 9)" in err, err
        assert alive(f"ORDEM_TEST={marker}") == []


def test_a_run_is_described_beside_its_logs_and_can_be_repeated():
    with Folder() as folder:
        run(folder, "--ops", "30", "--keys", "7", "--delay", "0-5", "--loss", "0.25", "--seed", "18446744073709551615",
            "--kill", "node2@50ms", "--restart-after", "200ms")
        with open(f"{folder}/run.json", encoding="utf-8") as file:
            first = json.load(file)
        assert first["part"] == "parte1" and first["kind"] == "node" and first["keys"] == 7, first
        assert first["seed"] == first["network"]["NET_SEED"] == 2**64 - 1 and first["network"]["NET_LOSS"] == 0.25
        assert first["events"] == "kill node2@50ms, restart node2@250ms"
        status, out, err = lab("run", "--again", folder, "--out", f"{folder}/again", "--json")
        assert status == 1 and err == "" and json.loads(out)["lives"]["node2"] == 2, (status, err)
        with open(f"{folder}/again/run.json", encoding="utf-8") as file:
            assert json.load(file) == first


def test_a_run_that_breaks_off_is_described_by_nothing():
    with Folder() as folder:
        run(folder, "--ops", "10")
        process = started_lab(folder, str(uuid.uuid4()))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 130 and not os.path.exists(f"{folder}/run.json")


def test_a_damaged_description_is_refused_in_one_line():
    with Folder() as folder:
        run(folder, "--ops", "10")
        with open(f"{folder}/run.json", encoding="utf-8") as file:
            good = json.load(file)
        for bad in [b"", b"\xff\xfe", b"[1]", json.dumps(good)[:-9].encode(), json.dumps(good | {"part": "parte9"}),
                    json.dumps(good | {"part": ["parte1"]}), json.dumps(good | {"nodes": 0}),
                    json.dumps(good | {"nodes": 10**30}), json.dumps(good | {"keys": "7"}),
                    json.dumps({key: value for key, value in good.items() if key != "rate"}),
                    json.dumps(good | {"network": {"NET_LOSS": 7}}), json.dumps(good | {"network": "good"}),
                    json.dumps(good | {"events": "kill node9@1s"}), json.dumps(good | {"events": "kill node1"}),
                    json.dumps(good | {"events": "\u001b[2J"}), json.dumps(good | {"events": 3}), b"{" * 100000]:
            with open(f"{folder}/run.json", "wb") as file:
                file.write(bad if isinstance(bad, bytes) else bad.encode())
            status, out, err = lab("run", "--again", folder)
            assert status == 2 and err.count("\n") == 1 and out == "" and "\x1b" not in err, (bad, status, out, err)
        assert lab("run", "--again", f"{folder}/nowhere")[0] == 2 and lab("run", "parte1", "--again", folder)[0] == 2


def test_bad_options_are_refused_in_one_line():
    for arguments, words in [(["run", "parte1", "--nodes", "0"], "--nodes is \"0\""),
                             (["run", "parte1", "--delay", "fast"], "--delay is \"fast\""),
                             (["run", "parte1", "--loss", "1.5"], "--loss is \"1.5\""),
                             (["run", "parte1", "--seed", "x"], "--seed is \"x\""),
                             (["run", "parte9"], "parte9"), (["run"], "needs one part"), (["fly"], "fly"), ([], "compare"),
                             (["compare"], "needs logs"), (["compare", "/no/such/file"], "/no/such/file"),
                             (["run", "parte1", "--out", "/proc/nowhere"], "--out")]:
        status, out, err = lab(*arguments)
        assert status == 2 and words in err and err.count("\n") == 1 and out == "", (arguments, status, out, err)
    assert lab("--help")[0] == lab("run", "--help")[0] == 0


# ---- logs from anywhere ----


def good_logs(folder):
    run(folder, "--writers", "1", "--ops", "30")
    return [f"{folder}/node{number}.jsonl" for number in (1, 2, 3)]


def test_compare_takes_files_folders_patterns_and_standard_input():
    with Folder() as folder:
        logs = good_logs(folder)
        joined = b"".join(open(log, "rb").read() for log in logs)
        for arguments, given in [(logs, None), ([folder], None), ([f"{folder}/*.jsonl"], None), (["-"], joined),
                                 ([logs[0], "-"], b"".join(open(log, "rb").read() for log in logs[1:]))]:
            status, out, err = lab("compare", "--json", *arguments, input=given)
            assert status == 0 and json.loads(out)["deliveries"] == 90, (arguments, out, err)


def test_compare_reads_the_screen_and_what_compose_makes_of_it():
    with Folder() as folder:
        good_logs(folder)
        screens = {n: open(f"{folder}/node{n}.screen.txt", "rb").read().splitlines() for n in (1, 2, 3)}
        text = [b"kv_node%d  | %s" % (n, line) for n in (1, 2, 3) for line in screens[n]]
        # Lines of several containers mixed, as `docker compose logs` gives them; each container's own in order.
        mixed = [line for group in zip(*[[l for l in text if l.startswith(b"kv_node%d" % n)] for n in (1, 2, 3)])
                 for line in group]
        coloured = [b"\x1b[33mkv_node1  |\x1b[0m \r\x1b[K" + line.split(b"| ")[1] + b"\x1b[0m\r" for line in text]
        foreign = [b"rabbitmq  | 2026-11-21 [info] <0.9.0> something else", b"", b"kv_node1> SET x 1"]
        for lines in (text, coloured + foreign, foreign + text):
            status, out, err = lab("compare", "--json", "-", input=b"\n".join(lines) + b"\n")
            assert status == 0 and json.loads(out)["deliveries"] == 90, (out, err)
        status, out, _ = lab("compare", "--json", "-", input=b"\n".join(mixed) + b"\n")
        assert json.loads(out)["verdicts"]["total_order"]["count"] == 0


def test_compare_says_what_it_cannot_tell():
    with Folder() as folder:
        logs = good_logs(folder)
        assert lab("compare", logs[0])[0] == 2  # one node: nothing to compare
        status, out, _ = lab("compare", logs[1], logs[2])
        assert status == 2 and "a sender's log is not among the files" in out
        lines = open(logs[1], encoding="utf-8").read().splitlines(keepends=True)
        cut = [i for i, line in enumerate(lines) if '"deliver"' in line][10]
        for damaged in (lines[:cut] + lines[cut + 1:], lines[:cut] + [lines[cut][:50]], lines[:cut] + [lines[cut][:50]]
                        + ["\n"] + lines[cut + 1:], lines[5:]):
            with open(logs[1], "w", encoding="utf-8") as file:
                file.writelines(damaged)
            status, out, _ = lab("compare", *logs)
            assert status == 2 and "! " in out and "? convergence" in out, (status, out)
        shutil.copy(logs[0], f"{folder}/copy.jsonl")
        status, out, _ = lab("compare", logs[0], f"{folder}/copy.jsonl", logs[2])
        assert status == 2 and "stand in two files" in out
        with open(f"{folder}/noise", "wb") as file:
            file.write(random.Random(1).randbytes(100000))
        status, out, _ = lab("compare", f"{folder}/noise")
        assert status == 2 and "no line of an Ordem log" in out


def test_a_hostile_log_paints_no_terminal_and_breaks_no_json():
    with Folder() as folder:
        logs = good_logs(folder)
        with open(logs[1], "rb") as file:
            lines = file.read().split(b"\n")
        for old, new in [(b'"node":"node2"', b'"node":"\\u001b[2Jnode2"'), (b'"key":"k', b'"key":"\\u009b2Jk'),
                         (b'"sender_id":"node1"', b'"sender_id":"\\u0007"')]:
            hostile = f"{folder}/hostile"
            with open(hostile, "wb") as file:
                file.write(b"\n".join(line.replace(old, new) for line in lines))
            status, out, err = lab("compare", logs[0], hostile, logs[2])
            assert status in (1, 2) and "\x1b" not in out + err and "\x9b" not in out and "\x07" not in out
            json.loads(lab("compare", "--json", logs[0], hostile, logs[2])[1])
        odd = os.fsencode(folder) + b"/\xff\x1b.jsonl"
        with open(odd, "wb") as file:
            file.write(b"\xff | ".join([b""] + [line + b"\n" for line in lines if b"deliver" in line]))
        out = lab("compare", "--json", logs[0], odd)[1]
        assert json.loads(out)["problems"]


def test_a_running_group_can_be_judged():
    with Group() as group:
        nodes = group.start_many(3)
        nodes[0].type("SET x 1", "SET y 2")
        for node in nodes:
            node.wait_for("deliver", 2)
        nodes[0].type("PRINT")
        for node in nodes:
            node.wait_for("deliver", 3)
        status, out, _ = lab("compare", "--json", group.folder)
        judgement = json.loads(out)
        assert status in (0, 2)  # the newest commands may not be old enough to be missed
        assert judgement["verdicts"]["total_order"]["outcome"] == "holds"
        assert judgement["verdicts"]["convergence"]["outcome"] == "holds"


def test_shiviz_output_obeys_its_strict_rules():
    with Folder() as folder:
        run(folder, "--ops", "60", "--delay", "0-20", "--loss", "0.1", "--duplicate", "0.1")
        drawing = f"{folder}/shiviz.log"
        assert lab("compare", folder, "--shiviz", drawing)[0] == 1
        with open(drawing, encoding="utf-8") as file:
            pattern, delimiter, *rest = file.read().split("\n")
        assert delimiter == "" and all(f"(?<{name}>" in pattern for name in ("event", "host", "clock"))
        found = re.findall(pattern.replace("(?<", "(?P<"), "\n".join(rest))
        assert len(found) * 2 == len(rest) - 1 > 300  # every line is matched
        last, sends = {}, {}
        for event, host, clock in found:
            clock = json.loads(clock)
            assert clock[host] == last.get(host, {}).get(host, 0) + 1
            assert all(clock.get(other, 0) >= count for other, count in last.get(host, {}).items())
            last[host] = clock
        for _, _, clock in found:  # no entry without that line
            for host, count in json.loads(clock).items():
                assert 1 <= count <= last[host][host]


if __name__ == "__main__":
    main(sys.modules[__name__])
