#!/usr/bin/env python3
"""The composition of Parte 1, used as a person does: compose up, docker attach on a terminal, typing, EXIT, down.

Prints TAP. `make test-docker` runs it. It needs Docker and Compose v2, and skips itself where they are not usable.
"""
import fcntl
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROJECT = f"ordem-test-{os.getpid()}"
COMPOSE = ["docker", "compose", "-p", PROJECT, "-f", str(ROOT / "parte1-multicast" / "docker-compose.yml")]
NODES = ["node1", "node2", "node3"]
CONTAINERS = [f"kv_{node}" for node in NODES]
PATIENCE = 20  # seconds until what should happen is said not to happen; nothing here asserts how fast it is
UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
UP, LEFT, ENTER, CTRL_D, CTRL_P_CTRL_Q = "\x1b[A", "\x1b[D", "\r", "\x04", "\x10\x11"

# What a developer has set in the shell for another experiment is not for this one.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith(("NET_", "MULTICAST_", "LOG_", "COMPOSE_", "NO_COLOR"))}

# ---- TAP ----

tests = failures = 0


def check(name, passed, detail=""):
    global tests, failures
    tests += 1
    failures += not passed
    print(f"{'ok' if passed else 'not ok'} {tests} - {name}", flush=True)
    if not passed and detail:
        comment(detail)
    return passed


def comment(text):
    for line in str(text).splitlines():
        print(f"# {line}", flush=True)


def eventually(condition):
    """The first true answer of condition(), or its last one."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(0.1)


# ---- docker ----

def run(*command, timeout=600):
    """Exit status and output, both streams together."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=ENVIRONMENT, timeout=timeout, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 255, str(error)
    return done.returncode, done.stdout.decode(errors="replace")


def compose(*arguments):
    return run(*COMPOSE, *arguments)


def docker_is_usable():
    return (shutil.which("docker") is not None and run("docker", "info", timeout=30)[0] == 0
            and run("docker", "compose", "version", timeout=30)[0] == 0)


def state(container):
    status, output = run("docker", "inspect", "--format", "{{json .State}}", container)
    return json.loads(output) if status == 0 else {}


def plain(text):
    """Without the control sequences that a terminal acts upon."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r", "", text)


FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\{.*?\}(?= |$)|\S+)')


def deliveries():
    """What `docker compose logs` says was delivered: for each node its events in order, as dictionaries."""
    found = {node: [] for node in NODES}
    for line in plain(compose("logs", "--no-color")[1]).splitlines():
        match = re.search(r"\[node=(\w+)\] deliver +(.*)", line)
        if match and match[1] in found:
            found[match[1]].append(dict(FIELD.findall(match[2])))
    return found


def delivered_everywhere(nodes=tuple(NODES), times=1, **fields):
    """Do these nodes have as many deliveries with such fields? The last look at all deliveries, and the answer."""
    seen = {}

    def look():
        nonlocal seen
        seen = deliveries()
        return all(sum(fields.items() <= event.items() for event in seen[node]) >= times for node in nodes)
    return eventually(look), seen


# ---- a person at a terminal ----

class Attached:
    """`docker attach` on a pseudo-terminal."""

    def __init__(self, container):
        self.prompt = container.removeprefix("kv_") + "> "
        self.text = ""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 200, 0, 0))
        self.process = subprocess.Popen(["docker", "attach", container], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, env=ENVIRONMENT)
        os.close(slave)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        received = b""
        while True:
            try:
                block = os.read(self.master, 65536)
            except OSError:  # the other side is closed
                return
            if not block:
                return
            received += block
            self.text = received.decode(errors="ignore")

    def keys(self, text):
        os.write(self.master, text.encode())

    def sees(self, pattern):
        return eventually(lambda: re.search(pattern, plain(self.text)))

    def waits_for_prompt(self):
        """Enter, until the prompt stands alone in the last line: what is typed too early, nobody reads."""
        def press():
            self.keys(ENTER)
            time.sleep(0.5)
            return plain(self.text).endswith(self.prompt)
        return eventually(press)

    def ends(self):
        """The exit status of docker attach, None if it goes on."""
        return eventually(lambda: self.process.poll() is not None) and self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(1)
        os.close(self.master)


# ---- the tests ----

def names_are_free():
    taken = []
    for container in CONTAINERS:
        status, output = run("docker", "inspect", "--type", "container", "--format",
                             '{{index .Config.Labels "com.docker.compose.project"}}', container)
        if status == 0:
            taken.append(f"{container} exists (project {output.strip() or 'none'})")
    return check("the container names kv_node1 to kv_node3 are free", not taken,
                 "\n".join(taken) + "\nEnd that composition first: cd parte1-multicast && docker compose down\n"
                 "(or, for a container of no project: docker rm -f " + " ".join(CONTAINERS) + ")")


def starts():
    status, output = compose("up", "--build", "--detach", "--wait", "--wait-timeout", "60")
    if not check("docker compose up --build: three nodes become healthy", status == 0, output[-4000:]):
        comment(compose("logs", "--no-color")[1][-4000:])
        return False
    for container in CONTAINERS:
        status, output = run("docker", "exec", container, "sh", "-c", "cat /proc/1/comm; grep ^Uid: /proc/1/status")
        user = re.search(r"Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", output)
        check(f"{container}: process 1 is parte1 itself, and nothing of it is root",
              output.startswith("parte1\n") and user is not None and "0" not in user.groups(), output)
    status, output = run("docker", "exec", "kv_node1", "parte1", "--help")
    check("docker exec kv_node1 parte1 --help works", status == 0 and "usage: parte1" in output, output)
    return True


def commands_reach_all(first, second):
    check("docker attach kv_node1: Enter shows the prompt", first.waits_for_prompt(), repr(first.text[-500:]))
    check("docker attach kv_node2: Enter shows the prompt", second.waits_for_prompt(), repr(second.text[-500:]))
    first.keys("SET x 1" + ENTER)
    second.keys("SET x 2" + ENTER)
    ones, _ = delivered_everywhere(command_type="SET", key="x", value='"1"', sender_id="node1")
    twos, seen = delivered_everywhere(command_type="SET", key="x", value='"2"', sender_id="node2")
    check("all three nodes delivered SET x 1 of node1 and SET x 2 of node2", ones and twos, json.dumps(seen, indent=1))

    events = [event for node in NODES for event in seen[node]]
    check("each delivery in docker compose logs holds sender_id, message_uuid and ordem_local",
          events and all(event.get("sender_id") in NODES and UUID4.fullmatch(event.get("message_uuid", ""))
                         and event.get("ordem_local", "").isdigit() for event in events), json.dumps(events, indent=1))
    check("ordem_local counts from 1 at each node",
          all([event.get("ordem_local") for event in seen[node]] == [str(i + 1) for i in range(len(seen[node]))]
              for node in NODES), json.dumps(seen, indent=1))
    check("a command has the same message_uuid everywhere, and each command its own",
          all({e.get("message_uuid") for e in seen[node]} == {e.get("message_uuid") for e in seen["node1"]}
              for node in NODES) and len({e.get("message_uuid") for e in seen["node1"]}) == 2, json.dumps(seen, indent=1))


def print_shows_snapshots(first):
    first.keys("PRINT" + ENTER)
    printed, seen = delivered_everywhere(command_type="PRINT", sender_id="node1")

    def snapshot_is_right(node):
        last = [event["value"] for event in seen[node] if event["command_type"] == "SET"][-1]
        snapshot = [event.get("snapshot") for event in seen[node] if event["command_type"] == "PRINT"][-1]
        return snapshot == '{"x":%s}' % last
    check("PRINT: each node logs its own snapshot, with what it delivered last",
          printed and all(snapshot_is_right(node) for node in NODES), json.dumps(seen, indent=1))


def prompt_is_usable(first):
    check("log lines appear at the attached terminal, with the prompt drawn again below them",
          first.sees(r"deliver +sender_id=node2 .*\n") and first.sees(r"\n" + re.escape(first.prompt) + r"$"),
          repr(first.text[-1500:]))
    # The second letter is typed last: the line is edited, and it is not ASCII.
    first.keys("SET nome Joo ção" + LEFT * 5 + "ã" + ENTER)
    typed = {"command_type": "SET", "key": "nome", "value": '"João ção"'}
    passed, seen = delivered_everywhere(**typed)
    check("the line can be edited with arrow keys and hold UTF-8", passed, json.dumps(seen["node3"], indent=1))
    first.keys(UP + ENTER)
    passed, seen = delivered_everywhere(times=2, **typed)
    check("arrow-up brings the last line back", passed, json.dumps(seen["node3"], indent=1))


def detaching_leaves_it_running(second):
    second.keys(CTRL_P_CTRL_Q)
    status = second.ends()
    check("Ctrl-P Ctrl-Q ends docker attach and leaves the node running",
          status is not None and state("kv_node2").get("Running") is True, f"attach: {status}, {state('kv_node2')}")


def exit_ends_one(first):
    first.keys("EXIT" + ENTER)
    first.ends()
    ended = eventually(lambda: state("kv_node1").get("Running") is False)
    check("EXIT ends the node with status 0", ended and state("kv_node1").get("ExitCode") == 0, state("kv_node1"))
    again = Attached("kv_node2")
    try:
        again.waits_for_prompt()
        again.keys("SET depois 3" + ENTER)
        passed, seen = delivered_everywhere(nodes=("node2", "node3"), command_type="SET", key="depois")
        check("the others go on: node3 delivers what node2 sends", passed, json.dumps(seen["node3"], indent=1))
        again.keys(CTRL_D)
        again.ends()
        ended = eventually(lambda: state("kv_node2").get("Running") is False)
        check("Ctrl-D ends a node, too, with status 0", ended and state("kv_node2").get("ExitCode") == 0,
              state("kv_node2"))
    finally:
        again.close()


def down_kills_nobody():
    compose("start")  # those that ended, too, so that down has three to stop
    everyone = eventually(lambda: all(state(container).get("Health", {}).get("Status") == "healthy"
                                      for container in CONTAINERS))
    check("docker compose start: ended nodes join again", everyone, compose("ps", "--all")[1])
    begun = time.time()
    status, output = compose("down")
    ended = time.time()
    comment(f"docker compose down took {ended - begun:.1f} s")
    events = run("docker", "events", "--since", f"{begun:.3f}", "--until", f"{ended:.3f}",
                 "--filter", f"label=com.docker.compose.project={PROJECT}", "--filter", "type=container",
                 "--format", "{{.Action}} {{.Actor.Attributes.name}} "
                 "exit={{.Actor.Attributes.exitCode}} signal={{.Actor.Attributes.signal}}")[1]
    died = sorted(re.findall(r"^die (\S+) exit=(\d+)", events, re.M))
    check("docker compose down: SIGTERM is enough for all three, which end with status 0",
          status == 0 and died == [(container, "0") for container in CONTAINERS] and "signal=9" not in events,
          output + events)


def main():
    if not docker_is_usable():
        print("ok 1 - docker # SKIP docker is not usable here")
        return 0
    if not names_are_free():
        return 1
    terminals = []
    try:
        if starts():
            terminals = [Attached("kv_node1"), Attached("kv_node2")]
            first, second = terminals
            commands_reach_all(first, second)
            print_shows_snapshots(first)
            prompt_is_usable(first)
            detaching_leaves_it_running(second)
            exit_ends_one(first)
            down_kills_nobody()
    finally:
        for terminal in terminals:
            terminal.close()
        status, output = compose("down", "--volumes", "--rmi", "local", "--remove-orphans", "--timeout", "5")
        if status != 0:
            comment("not everything could be removed:\n" + output)
    print(f"1..{tests}")
    return 1 if failures else 0


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))  # so that finally cleans up
    sys.exit(main())
