"""What the tests of the compositions of parts 2 to 4 share: clients started by docker exec, load, kill -9 and start.

Clients are those of the image. One that is under load runs in a container that the test does not kill.
"""
import base64
import socket
import urllib.request

from containers import *


# What holds in parts 3 and 4, whoever is killed.
GUARANTEES = ("delivery", "no duplicates", "total order", "convergence", "gap-free seq")


class Part:
    """A part's program, its nodes in one composition, and the ports at which they take calls."""

    def __init__(self, program, ports, broker, composition):
        self.program = program
        self.ports = ports
        self.nodes = list(ports)
        self.broker = broker
        self.composition = composition
        self.ours = [container for container in composition.containers if "rabbitmq" not in container]

    def client(self, node, inside=None, *options):
        """The command line of a client of `node`, in that container or in another one, without the word docker."""
        target = f"{node}:{self.ports[node]}"
        return [inside or node, self.program, "client", "--target", target, *options]

    def ask(self, node, *lines, inside=None):
        """What a client that is given these commands through a pipe says: an object for each."""
        try:
            done = subprocess.run(["docker", "exec", "-i", *self.client(node, inside)], env=ENVIRONMENT, timeout=120,
                                  input="".join(line + "\n" for line in lines).encode(), capture_output=True,
                                  check=False)
        except subprocess.TimeoutExpired:
            return [{} for _ in lines]
        answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
        return answers + [{}] * (len(lines) - len(answers))

    def store(self, node, inside=None):
        """What the node holds, as a dictionary; None if it does not answer."""
        snapshot = self.ask(node, "PRINT", inside=inside)[0].get("snapshot")
        return None if snapshot is None else json.loads(snapshot)

    # ---- what any of the compositions should be ----

    def is_as_the_readme_says(self, *compositions):
        """Does the README name only containers and ports that there are?"""
        page = (ROOT / self.composition.folder / "README.md").read_text(encoding="utf-8")
        lines = re.findall(r"^docker .*", page, re.M)
        containers = {container for composition in compositions for container in composition.containers}
        targets = {f"{node}:{port}" for node, port in self.ports.items()}
        wrong = [line for line in lines if not set(re.findall(r"\bkv\d_\w+", line)) <= containers
                 or not set(re.findall(r"--target (\S+)", line)) <= targets]
        check("the README's docker commands name containers and ports that there are", lines and not wrong, wrong)

    def is_set_up(self):
        for container in self.ours:
            self.composition.runs_unprivileged(container, self.program)
        _, output = run("docker", "exec", self.nodes[0], "sh", "-c",
                        "for program in cc gcc make rabbitmq-server erl; do command -v $program; done; echo no more")
        check("the image holds neither a compiler nor a broker", output == "no more\n", output)
        refused = []
        for port in [5672, *self.ports.values()]:
            try:
                socket.create_connection(("127.0.0.1", port), 10).close()
            except OSError as error:
                refused.append(f"{port}: {error}")
        ports = ", ".join(map(str, self.ports.values()))
        check(f"ports 5672, {ports} of this machine lead there", not refused, refused)
        page = urllib.request.Request("http://127.0.0.1:15672/api/whoami", headers={
            "Authorization": "Basic " + base64.b64encode(b"guest:guest").decode()})
        try:
            with urllib.request.urlopen(page, timeout=30) as answer:
                said = json.load(answer).get("name")
        except OSError as error:
            said = error
        check("port 15672 is RabbitMQ's own page, which lets guest in", said == "guest", said)

    def speaks_at_a_terminal(self, node):
        """The session that the READMEs show."""
        with Terminal(f"{node}:{self.ports[node]}> ", "exec", "-it", *self.client(node)) as person:
            name = "docker exec -it " + " ".join(self.client(node))
            check(f"{name}: a prompt", person.waits_for_prompt(), repr(person.text[-500:]))
            for line, wanted in [("SET x 1", r'"status":"ok"'), ("SET x 2", r'"status":"ok"'),
                                 ("GET x", r'"local_value":"\\"2\\""'),
                                 ("PRINT", r'"snapshot":"\{\\"x\\":\\"2\\"\}"')]:
                if not line.startswith("SET"):  # what was answered `ok` may be applied a little later
                    eventually(lambda: self.store(node) == {"x": "2"}, 0.5)
                before = len(plain(person.text))
                person.keys(line + ENTER)
                answer = re.compile(re.escape(line) + r"\n.*" + wanted)
                check(f"{line} is answered", eventually(lambda: answer.search(plain(person.text)[before:])),
                      repr(person.text[-500:]))
            # The second letter is typed last: the line is edited, and it is not ASCII.
            person.keys("SET nome Joo" + LEFT + "ã" + ENTER)
            edited = eventually(lambda: (self.store(node) or {}).get("nome") == "João", 0.5)
            check("the line can be edited with arrow keys and hold UTF-8", edited, repr(person.text[-500:]))
            person.keys("EXIT" + ENTER)
            check("EXIT ends the client with status 0, and not its node",
                  person.ends() == 0 and state(node).get("Running") is True, f"{person.ends()} {state(node)}")
        self.are_equal("the other nodes read the same", {"x": "2", "nome": "João"})

    def is_a_cluster(self, queue, brokers):
        """Is this queue of the group's on all of that many brokers?"""
        def listed():
            _, output = run("docker", "exec", self.broker, "rabbitmqctl", "--quiet", "list_queues",
                            "--formatter", "json", "name", "type", "members")
            return [found for found in json.loads(output) if found["name"] == queue] if output[:1] == "[" else output
        found = listed()
        check(f"{queue} is a quorum queue on {brokers} brokers",
              isinstance(found, list) and len(found) == 1 and found[0]["type"] == "quorum"
              and len(found[0]["members"]) == brokers, found)

    def is_judged(self, *guarantees):
        """Does the composition's own `lab` find that these hold, and nothing violated?"""
        status, output = self.composition.judge()
        check("docker compose logs --no-color | docker compose run --rm -T lab compare -: all holds",
              status == 0 and all(f"✓ {name}" in output for name in guarantees), output[-4000:])

    # ---- kill and start ----

    def kill(self, container):
        status, output = run("docker", "kill", "--signal", "KILL", container)
        if status != 0 or not eventually(lambda: state(container).get("Running") is False):
            comment(output)
        return status == 0

    def start(self, container):
        stayed_down = state(container).get("Running") is False
        status, output = run("docker", "start", container)
        healthy = eventually(lambda: self.composition.is_healthy(container))
        return check(f"{container} stays down until docker start, then becomes healthy",
                     stayed_down and status == 0 and healthy, f"{output}{state(container)}")

    def sync_metadata(self):
        """RabbitMQ without Khepri writes queues and bindings some seconds late: kill -9 loses what is younger."""
        run("docker", "exec", self.broker, "rabbitmqctl", "eval", "catch mnesia:sync_log().")

    def survives(self, container, writers, meanwhile, least=None):
        """kill -9 of a container under load, meanwhile(load), docker start; then nothing acknowledged is missing. The load."""
        with Load(self, container, *writers) as load:
            self.kill(container)
            meanwhile(load)
            self.start(container)
            check(f"{container} was killed and started again: all writers go on", load.goes_on(), load.said())
        self.has("no node misses a write that was answered ok", self.nodes, load.acknowledged())
        self.are_equal("and all hold the same", least)
        return load

    def broker_dies(self, writers):
        self.sync_metadata()
        self.survives(self.broker, writers, lambda _: time.sleep(1))  # clients ask while nobody can answer them

    def one_broker_dies(self, queue, writers):
        """One of the three of a cluster."""
        def meanwhile(load):
            takes_writes(load)
            self.has("and all nodes apply them", self.nodes, load.acknowledged())
        self.is_a_cluster(queue, 3)
        self.survives(next(container for container in self.composition.containers if container != self.broker),
                      writers, meanwhile)

    # ---- what should be true afterwards ----

    def has(self, name, nodes, keys, inside=None):
        """Do all these nodes hold each of these keys with its value?"""
        missing = {}

        def look():
            for node in nodes:
                store = self.store(node, inside)
                missing[node] = None if store is None else [key for key in keys if store.get(key) != keys[key]]
            return all(lost == [] for lost in missing.values())
        passed = eventually(look, 1)
        detail = {node: lost and f"{len(lost)} missing: {lost[:5]}" for node, lost in missing.items()}
        return check(f"{name} ({len(keys)} answers)", passed and keys, detail)

    def are_equal(self, name, least=None):
        stores = []

        def look():
            stores[:] = [self.store(node) for node in self.nodes]
            return None not in stores and all(store == stores[0] for store in stores) and \
                (least is None or least.items() <= stores[0].items())
        return check(name, eventually(look, 1), [store and len(store) for store in stores])

    def ends_cleanly(self):
        status, output, died, killed = self.composition.down("--volumes")
        check("docker compose down -v: SIGTERM is enough for ours, which end with status 0",
              status == 0 and all(died.get(container) == "0" for container in self.ours) and not killed.intersection(self.ours),
              output)
        self.composition.leaves_nothing()


class Writer(threading.Thread):
    """A client that sets a new key with each command, and remembers which were answered `ok`."""

    def __init__(self, part, node, inside, prefix):
        super().__init__(daemon=True)
        self.prefix = prefix
        self.acknowledged = {}  # key: value
        self.others = []  # other answers
        self.stopping = threading.Event()
        self.process = subprocess.Popen(["docker", "exec", "-i", *part.client(node, inside)], env=ENVIRONMENT,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self):
        number = 0
        while not self.stopping.wait(0.02):
            number += 1
            key, value = f"{self.prefix}{number}", str(number)
            try:
                self.process.stdin.write(f"SET {key} {value}\n".encode())
                self.process.stdin.flush()
            except OSError:
                return
            line = self.process.stdout.readline().decode()
            if not line:
                return
            if line.startswith('{"status":"ok"'):
                self.acknowledged[key] = value
            else:
                self.others.append(line)

    def finish(self):
        self.stopping.set()
        self.join(PATIENCE)
        self.process.kill()
        self.process.wait()


class Load:
    """Writers, as `with Load(part, (node, the container that the client is in), …) as load`."""

    def __init__(self, part, prefix, *places):
        self.writers = [Writer(part, node, inside, f"{prefix}-{number}-")
                        for number, (node, inside) in enumerate(places)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        self.goes_on()
        return self

    def __exit__(self, *_):
        for writer in self.writers:
            writer.finish()

    def goes_on(self, more=25):
        """Is each writer answered `ok` that many times from now on?"""
        counts = [len(writer.acknowledged) for writer in self.writers]
        return eventually(lambda: all(len(writer.acknowledged) >= count + more
                                      for writer, count in zip(self.writers, counts)))

    def said(self):
        return [(writer.prefix, len(writer.acknowledged), writer.others[-3:]) for writer in self.writers]

    def refused(self):
        """What nodes answered that was not `ok`; that nobody answered is the client's own word, and names none."""
        return [line for writer in self.writers for line in writer.others if '"node":' in line]

    def acknowledged(self):
        return {key: value for writer in self.writers for key, value in dict(writer.acknowledged).items()}


def takes_writes(load):
    check("meanwhile all writers go on", load.goes_on(), load.said())
