#!/usr/bin/env python3
"""parte5-chat/README.md: its terminals run and print what it says, and its tables have what the program has."""

import re

from ordem import *

PART = os.path.join(ROOT, "parte5-chat")
# The settings by which a role of the page's standard ports is brought to free ones.
PORTS = {"broker": {"CLIENTS_PORT": 5555, "SERVERS_PORT": 5556}, "proxy": {"CLIENTS_PORT": 5558, "SERVERS_PORT": 5557},
         "reference": {"REFERENCE_PORT": 5559}}
ADDRESSES = {"server": {"BROKER": 5556, "PROXY": 5557, "REFERENCE": 5559}, "client": {"BROKER": 5555, "PROXY": 5558},
             "bot": {"BROKER": 5555, "PROXY": 5558}}


def read(name):
    with open(os.path.join(PART, name), encoding="utf-8") as file:
        return file.read()


def section(title):
    return read("README.md").split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text, kind):
    return [block.splitlines() for name, block in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.S | re.M) if name == kind]


class Terminals:
    """What the page types, each line in a terminal of its own, in an empty folder with the program in build/."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ordem-test-")
        os.symlink(BUILD, os.path.join(self.folder, "build"))
        self.held = {port: hold_port() for port in range(5555, 5563)}
        self.ports = {port: holder.getsockname()[1] for port, holder in self.held.items()}
        self.exported = {k: v for k, v in os.environ.items() if not k.startswith(("NET_", "LOG_", "NODE_ID", "DATA_DIR"))}
        self.exported |= {"BIND_HOST": "127.0.0.1"}
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process, _ in self.processes:
            process.kill()
            process.wait()
        for holder in self.held.values():
            holder.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def here(self, line):
        return re.sub(r"127\.0\.0\.1:(\d+)", lambda match: f"127.0.0.1:{self.ports[int(match[1])]}", line)

    def settings(self, role):
        return {name: str(self.ports[port]) for name, port in PORTS.get(role, {}).items()} | \
            {name: f"127.0.0.1:{self.ports[port]}" for name, port in ADDRESSES.get(role, {}).items()}

    def type(self, line):
        """A process that goes on: returns when it is ready. What `export` says holds from then on."""
        if line.startswith("export "):
            self.exported |= dict(word.split("=", 1) for word in self.here(line).split()[1:])
            return
        role = line.split()[-1]
        log = os.path.join(self.folder, f"{len(self.processes)}.jsonl")
        process = subprocess.Popen(["bash", "-c", "exec env " + line], cwd=self.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=self.exported | self.settings(role) | {"LOG_FILE": log})
        self.processes.append((process, log))
        wait_until(lambda: read_log(log, "ready") or process.poll() is not None, line)
        assert process.poll() is None, line

    def session(self, lines, **settings):
        """At the client's prompt: what it prints for these lines. It asks again for as long as a test may wait."""
        done = subprocess.run([program("parte5"), "client"], input="".join(line + "\n" for line in lines), text=True,
                              capture_output=True, timeout=LIMIT,
                              env=self.exported | self.settings("client") | {"REQUEST_TIMEOUT_MS": str(LIMIT * 50)} | settings)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout.splitlines()

    def leader(self):
        """The process whose log says that it leads."""
        for process, log in self.processes:
            turns = read_log(log, "elect") + read_log(log, "step_down")
            if process.poll() is None and turns and max(turns, key=lambda turn: turn["ts"])["state"] == "leads":
                return process
        return None

    def name_of(self, process):
        """That of its log."""
        return next(read_log(log)[0]["node"] for other, log in self.processes if other is process)


def test_the_terminals_run_as_the_page_says():
    typed, *_ = blocks(section("Run it"), "sh")
    session = blocks(section("Run it"), "")[0]
    with Terminals() as terminals:
        for line in typed:
            if not line.startswith("make ") and not line.endswith(" client"):
                terminals.type(line)
        # Who knows of no primary yet answers from what it has: nobody, once each has been given a change.
        wait_until(lambda: all(os.path.getsize(os.path.join(terminals.folder, f"data/server{n}/users.json")) for n in (1, 2, 3)),
                   "all follow")
        shown = terminals.session([line.removeprefix("chat> ") for line in session if line.startswith("chat> ")])
        shown = [line for line in shown if not line.startswith("[sala] bot-")]  # it may choose that channel
        assert shown == [line for line in session if not line.startswith("chat> ")], shown
        first = wait_until(terminals.leader, "a primary")
        first.kill()
        others = {"server1", "server2", "server3"} - {terminals.name_of(first)}

        def has_both(name):
            with open(os.path.join(terminals.folder, f"data/{name}/publications.json"), "rb", buffering=0) as file:
                return {"bom dia", "de novo"} <= {json.loads(line)["body"] for line in file.read(1_000_000).split(b"\n")[:-1]}

        terminals.session(["login ana", "pub sala de novo"])
        wait_until(lambda: all(has_both(name) for name in others), f"both messages on the disks of {others}")
        again = terminals.session(["login ana", "history sala"])
        assert [line for line in again if "ana" in line] == ["[sala] ana: bom dia", "[sala] ana: de novo"], again


def test_so_do_those_over_a_shared_volume():
    terminals_of, _, shared, *_ = blocks(section("Run it"), "sh")
    session = blocks(section("Run it"), "")[1]
    with Terminals() as terminals:
        for line in [line for line in terminals_of if re.search("broker|proxy|export", line)] + shared:
            terminals.type(line)
        shown = terminals.session([line.removeprefix("chat> ") for line in session if line.startswith("chat> ")])
        assert shown == [line for line in session if not line.startswith("chat> ")], shown

        def owner():
            with open(os.path.join(terminals.folder, "data/shared/leader.lock"), encoding="utf-8") as file:
                return json.load(file)["owner"]

        def known_leader():
            leader = terminals.leader()
            return leader if leader is not None and terminals.name_of(leader) == owner() else None

        first = wait_until(known_leader, "a leader, whose name is in the file")
        first.kill()
        again = terminals.session([session[2].removeprefix("chat> "), "channels"])
        assert again == ["OK", "sala"], again
        assert owner() != terminals.name_of(first)


def test_messagepack_is_as_much_shorter_as_the_page_says():
    typed = blocks(section("Run it"), "sh")[0]
    rows = re.findall(r"^\| `([^`]+)`[^|]* \| (\d+) \| (\d+) \|", section("What MessagePack saves"), re.M)
    assert len(rows) >= 3, rows
    with Terminals() as terminals:
        for line in typed:
            if re.search("broker|proxy|export|reference|server", line):
                terminals.type(line)
        terminals.session(["login ana", "create geral"])
        sizes = []
        for encoding in ("messagepack", "json"):
            log = os.path.join(terminals.folder, encoding + ".jsonl")
            terminals.session([row[0] for row in rows], ENCODING=encoding, LOG_FILE=log, LOG_LEVEL="debug")
            sent = {line["service"]: line["bytes"] for line in read_log(log, "send")}
            sizes.append([sent[{"pub": "publish"}.get(row[0].split()[0], row[0].split()[0])] for row in rows])
    for (line, packed, text), found_packed, found_text in zip(rows, *sizes):
        # The logical clock has as many digits as it has.
        assert 0 <= found_packed - int(packed) <= 4 and 0 <= found_text - int(text) <= 4, (line, found_packed, found_text)


# ---- the tables ----

def fields_of(code):
    """The names that an expression of chat_message_table.c stands for."""
    source = read("chat_message_table.c")
    names = dict(re.findall(r'X\(([A-Z_]+), "(\w+)", FIELD_', read("chat_message_table.h")))
    for name, value in re.findall(r"#define (NOTE\w*) +\((.*)\)", source)[::-1]:
        code = re.sub(rf"\b{name}\b", value, code)
    return {names[bit] for bit in re.findall(r"BIT\((\w+)\)", code)}


def services():
    """For each service what is needed and allowed, in the question and in the answer."""
    names = dict(re.findall(r'X\((SERVICE_\w+), "(\w+)"\)', read("chat_message.h")))
    rows = re.findall(r"^    \[(SERVICE_\w+)\] = \{(.*?)\},\n", read("chat_message_table.c"), re.S | re.M)
    assert {name for name, _ in rows} == set(names) and len(rows) > 25
    return {names[name]: [fields_of(part) for part in " ".join(code.split()).split(",")] for name, code in rows}


def test_the_tables_of_messages_are_those_of_the_program():
    table = {}
    for first, *cells in (re.split(r" *\| *", line.strip("| ")) for line in section("Messages").splitlines() if line.startswith("| `")):
        for service in re.findall(r"`(\w+)`", first):
            table[service] = [re.findall(r"`(\w+\??)`", cell) for cell in cells]
    note = fields_of("NOTE")
    for service, (asks, may_ask, tells, may_tell) in services().items():
        if service == "error":
            continue
        shown = [set(cell) for cell in table[service]] + [set()]
        if service.startswith("replicate_"):
            shown, note_fields = [{field for field in shown[0] if field not in note}], note
        else:
            note_fields = set()
        if service in ("publication", "private_message", "servers"):
            shown = shown[1:]
        assert shown[0] == (asks - note_fields) | {field + "?" for field in may_ask}, (service, shown, asks, may_ask)
        if tells or may_tell:
            assert shown[1] == tells | {field + "?" for field in may_tell}, (service, shown, tells, may_tell)


def test_every_setting_stands_in_the_table():
    found = set()
    for name in os.listdir(PART):
        if name.endswith(".c"):
            found |= set(re.findall(r'config_\w+\("([A-Z_]+)"', read(name)))
            found |= set(re.findall(r'"([A-Z]+_PORT)"', read(name)))
    assert len(found) > 15, found
    listed = set(re.findall(r"`([A-Z_]+)`", section("Settings")))
    assert found - {"ROLE"} <= listed, found - listed


if __name__ == "__main__":
    main(sys.modules[__name__])
