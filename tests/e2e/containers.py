"""What the tests of the compositions share: Docker, a person at a terminal, and a main() that prints TAP.

They need Docker and Compose v2, and skip themselves where those are not usable. Each uses a project of its own, and
removes what it made however it ends. Container names and ports are those that students use, so that only one
composition can be up at a time: what is up already is left alone, and named.
"""
import fcntl
import json
import os
import pathlib
import pty
import re
import shlex
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
PATIENCE = 60  # seconds until what should happen is said not to happen; nothing here asserts how fast it is
UP, LEFT, ENTER, CTRL_D, CTRL_P_CTRL_Q = "\x1b[A", "\x1b[D", "\r", "\x04", "\x10\x11"
FIELD = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|\{.*?\}(?= |$)|\S+)')

# What a developer has set in the shell for another experiment is not for this one.
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith(("NET_", "MULTICAST_", "AMQP_", "LOG_", "COMPOSE_", "NO_COLOR"))}

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


def eventually(condition, pause=0.1):
    """The first true answer of condition(), or its last one."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = condition()
        if answer or time.monotonic() > end:
            return answer
        time.sleep(pause)


# ---- docker ----

def run(*command, timeout=900):
    """Exit status and output, both streams together."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=ENVIRONMENT, timeout=timeout, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 255, str(error)
    return done.returncode, done.stdout.decode(errors="replace")


def docker_is_usable():
    return (shutil.which("docker") is not None and run("docker", "info", timeout=30)[0] == 0
            and run("docker", "compose", "version", timeout=30)[0] == 0)


def inspect(container, what):
    """One field of `docker inspect`, None if there is no such container."""
    status, output = run("docker", "inspect", "--type", "container", "--format", "{{json .%s}}" % what, container)
    return json.loads(output) if status == 0 else None


def state(container):
    return inspect(container, "State") or {}


def plain(text):
    """Without the control sequences that a terminal acts upon."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r", "", text)


class Composition:
    """A compose file of a part's folder, and the containers that it names."""

    def __init__(self, folder, containers, file="docker-compose.yml"):
        self.folder = folder
        self.file = file
        self.containers = containers
        self.volumes = set()  # of all containers that down() has removed; one without a name tells no project

    def command(self, *arguments):
        return ["docker", "compose", "-p", PROJECT, "-f", str(ROOT / self.folder / self.file), *arguments]

    def compose(self, *arguments):
        return run(*self.command(*arguments))

    def names_are_free(self):
        taken = [f"{container} exists (project {labels.get('com.docker.compose.project', 'none')})"
                 for container in self.containers
                 if (labels := inspect(container, "Config.Labels")) is not None]
        return check(f"{self.folder}/{self.file}: the container names are free", not taken,
                     "\n".join(taken) + f"\nEnd that composition first: cd {self.folder} && docker compose down -v\n"
                     "(or, for a container of no project: docker rm -f " + " ".join(self.containers) + ")")

    def starts(self):
        up = ["up", "--build", "--detach", "--wait", "--wait-timeout", "240"]
        status, output = self.compose(*up)
        if "address already in use" in output:  # by a connection of another program, for as long as that lasts
            comment(output[-500:])
            time.sleep(5)
            status, output = self.compose(*up)
        if not check(f"docker compose up --build: all {len(self.containers)} containers become healthy",
                     status == 0 and all(self.is_healthy(container) for container in self.containers), output[-4000:]):
            comment(self.compose("ps", "--all")[1])
            comment(self.compose("logs", "--no-color")[1][-4000:])
            return False
        return True

    def is_healthy(self, container):
        return state(container).get("Health", {}).get("Status") == "healthy"

    def runs_unprivileged(self, container, program):
        _, output = run("docker", "exec", container, "sh", "-c", "cat /proc/1/comm; grep ^Uid: /proc/1/status")
        user = re.search(r"Uid:\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", output)
        check(f"{container}: process 1 is {program} itself, and nothing of it is root",
              output.startswith(program + "\n") and user is not None and "0" not in user.groups(), output)

    def events(self, *kinds):
        """What `docker compose logs` says that happened: for each node the events of these kinds, as dictionaries."""
        found = {}
        for line in plain(self.compose("logs", "--no-color")[1]).splitlines():
            match = re.search(r"\[node=([\w.-]+)\] (\w+) +(.*)", line)
            if match and match[2] in kinds:
                found.setdefault(match[1], []).append(dict(FIELD.findall(match[3]), event=match[2]))
        return found

    def judge(self):
        """What the READMEs type of a running composition: exit status and output of its `lab`."""
        logs = self.command("logs", "--no-color")
        lab = self.command("run", "--rm", "-T", "lab", "compare", "-")
        return run("bash", "-c", f"set -o pipefail; {shlex.join(logs)} | {shlex.join(lab)}")

    def down(self, *arguments):
        """Docker compose down: its exit status and output, what docker says of each container's end, and signals."""
        for container in self.containers:
            self.volumes |= {mount["Name"] for mount in inspect(container, "Mounts") or [] if mount["Type"] == "volume"}
        begun = time.time()
        status, output = self.compose("down", *arguments)
        ended = time.time()
        comment(f"docker compose down took {ended - begun:.1f} s")
        events = run("docker", "events", "--since", f"{begun:.3f}", "--until", f"{ended:.3f}",
                     "--filter", f"label=com.docker.compose.project={PROJECT}", "--filter", "type=container",
                     "--format", "{{.Action}} {{.Actor.Attributes.name}} "
                     "exit={{.Actor.Attributes.exitCode}} signal={{.Actor.Attributes.signal}}")[1]
        return status, output + events, dict(re.findall(r"^die (\S+) exit=(\d+)", events, re.M)), \
            set(re.findall(r"^kill (\S+) .*signal=9", events, re.M))

    def leaves_nothing(self):
        mine = f"label=com.docker.compose.project={PROJECT}"
        left = run("docker", "ps", "--all", "--quiet", "--filter", mine)[1] + \
            run("docker", "network", "ls", "--quiet", "--filter", mine)[1] + \
            run("docker", "volume", "ls", "--quiet", "--filter", mine)[1]
        volumes = self.volumes & set(run("docker", "volume", "ls", "--quiet")[1].split())
        check("no container, network or volume is left", not left and not volumes,
              left + "\n".join(volumes))

    def remove_nameless_volumes(self):
        """Those of image RabbitMQ, which `down` without -v leaves behind."""
        existing = run("docker", "volume", "ls", "--quiet")[1].split()
        for volume in self.volumes & {name for name in existing if re.fullmatch("[0-9a-f]{64}", name)}:
            run("docker", "volume", "rm", volume)

    def remove(self):
        status, output = self.compose("--profile", "*", "down", "--volumes", "--rmi", "local", "--remove-orphans", "--timeout", "5")
        if status != 0:
            comment("not everything could be removed:\n" + output)
        self.remove_nameless_volumes()


# ---- a person at a terminal ----

class Terminal:
    """A docker command on a pseudo-terminal, which shows this prompt."""

    def __init__(self, prompt, *command):
        self.prompt = prompt
        self.text = ""
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 200, 0, 0))
        self.process = subprocess.Popen(["docker", *command], stdin=slave, stdout=slave, stderr=slave,
                                        start_new_session=True, env=ENVIRONMENT)
        os.close(slave)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

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
        """The exit status of the docker command, None if it goes on."""
        return eventually(lambda: self.process.poll() is not None) and self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join(1)
        os.close(self.master)


def main(*stories):
    """Runs stories one after the other: functions, or (composition, function) pairs, which are called once the
    composition's containers are healthy."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))  # so that finally cleans up
    if not docker_is_usable():
        print("ok 1 - docker # SKIP docker is not usable here\n1..1")
        return 0
    for story in stories:
        if callable(story):
            story()
            continue
        composition, story = story
        if not composition.names_are_free():
            continue
        try:
            if composition.starts():
                story(composition)
        finally:
            composition.remove()
    print(f"1..{tests}")
    return 1 if failures else 0
