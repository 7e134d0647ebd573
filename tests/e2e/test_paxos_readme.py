#!/usr/bin/env python3
"""The session with curl that paxos/README.md shows: every line is typed, and answered as the page says."""

import re
import urllib.request

from ordem import *

PAGE = os.path.join(ROOT, "paxos/README.md")
MEMBERS = {"acceptor": (8100, 3), "learner": (8200, 2), "proposer": (8000, 1)}  # ports on the page, and how many


class Cluster:
    """The members of the page, each on a free port in the place of the one that the page says."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="ordem-test-")
        self.held = hold_ports(sum(count for _, count in MEMBERS.values()))
        ports = (held.getsockname()[1] for held in self.held)
        self.ports = {base + number: next(ports) for base, count in MEMBERS.values() for number in range(1, count + 1)}
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
            process.wait()
        for held in self.held:
            held.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, role):
        base, count = MEMBERS[role]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("NET_", "LOG_", "STORES", "CLIENTS", "DEBUG"))}
        addresses = {name.upper() + "S": ",".join(f"127.0.0.1:{self.ports[first + i + 1]}" for i in range(members))
                     for name, (first, members) in MEMBERS.items()}
        for number in range(1, count + 1):
            self.processes.append(subprocess.Popen(
                [program("paxos"), role], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                env=clean | addresses | {"NODE_ID": str(number), "HOST": "127.0.0.1", "PORT": str(self.ports[base + number]),
                                         "DATA_DIR": os.path.join(self.folder, f"{role}-{number}")}))
            wait_until(lambda: self.answers(base + number, "/health"), f"{role} {number} does not answer")

    def answers(self, page_port, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[page_port]}{path}", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def type(self, line):
        """Types a line of the page; the status of the answer, and what it prints."""
        here = re.sub(r"localhost:(\d+)", lambda match: f"127.0.0.1:{self.ports[int(match[1])]}", line)
        here = here.replace("curl ", r"curl --silent --show-error --write-out '\n%{http_code}' ", 1)
        done = subprocess.run(["bash", "-c", here], capture_output=True, timeout=LIMIT, cwd=self.folder)
        assert done.returncode == 0, (line, done)
        printed, _, status = done.stdout.decode().rpartition("\n")
        return int(status), printed


def steps():
    """Pairs of what is typed, line by line, and what the page says is answered."""
    with open(PAGE, encoding="utf-8") as file:
        section = file.read().split("## By hand, with curl", 1)[1].split("\n## ", 1)[0]
    return [(typed.strip().splitlines(), answered.strip().splitlines())
            for typed, answered in re.findall(r"```sh\n(.*?)```\n\n```json\n(.*?)```", section, re.S)]


class Unknown(Exception):
    """A command's outcome is not known (504): it may have taken the instance that the page gives to the next one."""


def check_line(cluster, line, wanted):
    """What acceptors accepted reaches the learners a moment later: a GET is asked until it answers that. And once the
    learners have it on their disks, which may be before the page's reader types on, acceptors forget it. On a slow machine
    a proposer may cease to lead, and refuses (503) until it leads again: it is asked once more, too."""
    def answer():
        return json.loads(cluster.type(line)[1])

    def posted():
        status, printed = cluster.type(line)
        if "/propose" in line and status == 504:
            raise Unknown(line)
        return None if "/propose" in line and status == 503 else [json.loads(printed)]
    if " -d " in line:
        found, = wait_until(posted, lambda: f"who takes it: {line}")
        if found.get("forgotten", 0) > wanted.get("forgotten", 0):
            wanted = wanted | {"forgotten": found["forgotten"]}
        assert found == wanted, (line, found, wanted)
    else:
        wait_until(lambda: answer() == wanted, lambda: (line, answer(), wanted))


def type_all(found):
    with Cluster() as cluster:
        cluster.start("acceptor")
        cluster.start("learner")
        for typed, answered in found:
            assert len(typed) == len(answered), (typed, answered)
            if "localhost:8001" in typed[0] and len(cluster.processes) == 5:
                cluster.start("proposer")
                wait_until(lambda: cluster.answers(8001, "/leader-status"), "nobody leads")
            for line, wanted in zip(typed, answered):
                check_line(cluster, line, json.loads(wanted))


def test_every_line_is_answered_as_the_page_says():
    found = steps()
    phases = "".join(line for typed, _ in found for line in typed)
    for path in ("/prepare", "/accept", "/learn", "/instance/", "/propose?wait=decided", "GET"):
        assert path in phases, path

    def all_known():
        try:
            type_all(found)
        except Unknown:  # from the beginning, with members that know nothing yet
            return False
        return True
    wait_until(all_known, "a session of which every outcome is known")


def test_the_page_names_every_endpoint():
    roles = {"proposer": "proposer_main.c", "acceptor": "acceptor_main.c", "learner": "learner_main.c",
             "cluster store": "store_main.c", "client": "client_service.c"}
    with open(PAGE, encoding="utf-8") as file:
        section = file.read().split("## Endpoints", 1)[1].split("\n## ", 1)[0]
    for role, source in roles.items():
        row = re.search(rf"^\| {role} \| (.*)", section, re.M)[1]
        with open(os.path.join(ROOT, "paxos", source), encoding="utf-8") as file:
            paths = re.findall(r'\{"(?:GET|POST)", "(/[^"]*)"', file.read())
        assert len(paths) >= 4, (source, paths)
        for path in paths:
            if not path.startswith("/page."):  # parts of the page
                assert re.search(rf"[` ]{re.escape(path.split('{')[0])}", row), (role, path)


if __name__ == "__main__":
    main(sys.modules[__name__])
