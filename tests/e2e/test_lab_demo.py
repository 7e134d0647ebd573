#!/usr/bin/env python3
"""The guarantee matrix: lab demo, from the first process to the last cell."""

import re

from ordem import *

GUARANTEES = ["delivery", "no_duplicates", "fifo", "causal_order", "total_order", "convergence", "linearizable_reads"]
SURVIVAL = ["survives_node", "survives_coordinator"]

# What the rules promise (✓), what they cannot give (✗), and what there is no talk of (–), in the order of the columns.
PROMISED = {"parte1": "✗✗✗✗✗✗–✗–", "parte2": "✓✓✓✗✗✗✗✗✗", "parte3": "✓✓✓✓✓✓✗✓✗", "parte4": "✓✓✓✓✓✓✗✓✗",
            "paxos": "✓✓✓✓✓✓✓✓✓"}
MARKS = {"holds": "✓", "violated": "✗", "unknown": "?", "not_applicable": "–"}


class Folder:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="ordem-test-")
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def filled(rows):
    return {part: "".join(MARKS[rows[part]["cells"][column]["outcome"]] for column in GUARANTEES + SURVIVAL)
            for part in PROMISED}


def demonstrate(folder):
    """Demos, until each cell was as promised in one of them. A machine that stands still for half a second looks like a
    part that does not survive, or leaves a cell unmeasured. What is promised is never seen broken."""
    missing = {(part, column) for part, promised in PROMISED.items() for column in range(len(promised))}
    for again in range(6):
        status, out, err = lab("demo", "--quick", "--json", "--out", f"{folder}/{again}", AMQP_URL="")
        assert err == "", err
        demo = json.loads(out)
        rows = {row["part"]: row for row in demo["rows"]}
        marks = filled(rows)
        for part, promised in PROMISED.items():
            for mark, wanted in list(zip(marks[part], promised))[:len(GUARANTEES)]:
                assert not (mark == "✗" and wanted == "✓"), (part, marks, out)
        assert demo["directory"] == f"{folder}/{again}"
        if marks == PROMISED:
            assert status == 0 and demo["outcome"] == "as_promised", out
        missing -= {(part, column) for part, column in missing if marks[part][column] == PROMISED[part][column]}
        if not missing:
            return rows, out
    raise AssertionError((missing, out))


def test_the_matrix_is_filled_and_every_broken_cell_is_proven():
    with Folder() as folder:
        rows, out = demonstrate(folder)
        for row in filter(lambda row: row["built"], rows.values()):
            for run in row["runs"]:
                with open(f"{run}/run.json", encoding="utf-8") as file:
                    assert json.load(file)["part"] == row["part"] and run.startswith(folder)
            for name, cell in row["cells"].items():
                check_cell(name, cell)
            price = row["price"]
            assert 0 < price["p50_us"] <= price["p99_us"] and price["commands_per_second"] > 0, price
        # Three nodes: a datagram reaches three; a queue's message is sent once and reaches three; a sequencer's twice,
        # and itself once; a leader's reaches two. Paxos counts calls and answers, and those that only say who leads.
        messages = [rows[part]["price"]["messages_per_command"] for part in sorted(PROMISED)]
        assert messages[:4] == [3, 4, 6, 3] and messages[4] > 3, out


def check_cell(name, cell):
    """Counts that fit the outcome; lines that stand where they are said to stand."""
    proof = cell["counterexample"]
    assert (cell["outcome"] == "violated") == (cell["count"] > 0) == (cell["violated_runs"] > 0) == (proof is not None)
    assert (cell["outcome"] == "holds") == (cell["runs"] > cell["violated_runs"] + cell["unknown_runs"] == 0), (name, cell)
    if proof is not None:
        assert len(proof["evidence"]) >= 2 and proof["story"], (name, cell)
        for line in proof["evidence"]:
            with open(f"{proof['run']}/{line['file']}", encoding="utf-8") as file:
                assert file.read().split("\n")[line["line"] - 1] == line["text"]
            assert "event" in json.loads(line["text"])
        if name in SURVIVAL:
            assert json.loads(proof["evidence"][0]["text"])["event"] == "kill"


def shows_what_weak_parts_break(out):
    """With one seed a weak part may be lucky, and on a slow machine unmeasured; a strong one needs no luck."""
    table = [line for line in out.split("\n") if re.match(r"  (parte\d|paxos) ", line)]
    shown = True
    for part, promised in PROMISED.items():
        got = re.findall("[✓✗?–]", next(line for line in table if line.startswith(f"  {part}")))
        assert len(got) == len(promised)
        assert all(g != "✗" for g, p in list(zip(got, promised))[:len(GUARANTEES)] if p == "✓"), out
        shown &= [g for g, p in zip(got, promised) if p == "✗"].count("✗") >= min(2, promised.count("✗"))
    return shown


def test_the_table_says_the_same_in_plain_lines():
    with Folder() as folder:
        for again in range(3):
            status, out, err = lab("demo", "--quick", "--seeds", "1", "--out", f"{folder}/{again}", AMQP_URL="")
            assert err == "" and "\x1b" not in out, (err, out)
            if shows_what_weak_parts_break(out):
                break
        assert shows_what_weak_parts_break(out), out
        assert re.search(r"^    parte1-seed42: node\d\.jsonl:\d+", out, re.M), out
        assert f"The logs: {folder}/{again}" in out and f"The report: {folder}/{again}/report.html" in out
        assert status in (0, 1) or (status == 2 and "could not be measured" in out), (status, out)
        assert os.path.getsize(f"{folder}/{again}/report.html") > 10000


def test_ctrl_c_ends_all_runs_and_the_broker():
    with Folder() as folder:
        marker = str(uuid.uuid4())
        process = subprocess.Popen([program("lab"), "demo", "--out", folder], stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE,
                                   env=os.environ | {"ORDEM_TEST": marker, "AMQP_URL": ""})
        wait_until(lambda: any(name.startswith("parte1-") for name in os.listdir(folder)), "the first run")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 130
        # The runs have ended by now, and RabbitMQ; a helper that its start script or Erlang had begun may be at its end.
        wait_until(lambda: not alive(f"ORDEM_TEST={marker}"), "the end of all that the lab had started")


def test_what_cannot_run_has_question_marks_that_say_why_and_what_is_not_built_says_so():
    with Folder() as folder:
        shutil.copy(program("lab"), f"{folder}/lab")
        shutil.copy(program("parte1"), f"{folder}/parte1")
        with open(f"{folder}/parte3", "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\nexit 7\n")
        os.chmod(f"{folder}/parte3", 0o755)
        result = subprocess.run([f"{folder}/lab", "demo", "--quick", "--json", "--out", f"{folder}/demo"],
                                env=os.environ | {"AMQP_URL": ""}, capture_output=True, timeout=5 * LIMIT, check=False)
        assert result.returncode == 2 and result.stderr == b"", result
        rows = {row["part"]: row for row in json.loads(result.stdout)["rows"]}
        assert [rows[part]["built"] for part in ("parte1", "parte2", "parte3", "parte4")] == [True, False, True, False]
        assert rows["parte1"]["cells"]["total_order"]["outcome"] == "violated"
        cells = rows["parte3"]["cells"]
        assert "ended before it was asked to" in cells["total_order"]["why"], cells["total_order"]
        assert {cells[name]["outcome"] for name in GUARANTEES} == {"unknown"} and rows["parte3"]["runs"] == []
        assert rows["parte3"]["price"]["commands_per_second"] is None


def test_bad_options_of_the_demo_are_refused():
    for arguments, words in [(["--seeds", "0"], "--seeds is \"0\""), (["--seeds", "99"], "--seeds"),
                             (["parte1"], "takes no \"parte1\""), (["--out", "/proc/nowhere"], "--out")]:
        status, out, err = lab("demo", *arguments)
        assert status == 2 and words in err and err.count("\n") == 1, (arguments, status, out, err)


if __name__ == "__main__":
    main(sys.modules[__name__])
