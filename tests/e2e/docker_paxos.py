#!/usr/bin/env python3
"""The composition of Paxos: twenty containers; a write at one client's page is read at another's; kill -9 of the leader, of
two acceptors, of a learner and of a store, each under load.

Prints TAP. `make test-docker` runs it. It needs Docker and Compose v2, and skips itself where they are not usable.
"""
import urllib.error
import urllib.request

from containers import *

# The ports of this machine by role: 8080 of each container.
PORTS = {f"{name}-{number}": base + number
         for name, count, base in [("proposer", 5, 8000), ("acceptor", 5, 8100), ("learner", 2, 8200),
                                   ("cluster-store", 3, 8300), ("client", 5, 8400)]
         for number in range(1, count + 1)}
PAGES = {f"client-{number}": 8500 + number for number in range(1, 6)}
PAXOS = Composition("paxos", list(PORTS))


def http(port, path, body=None):
    """Status, 0 if nobody answers, and what came, as JSON where it is that."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}{path}", data), timeout=20) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        status, text = error.code, error.read().decode(errors="replace")
    except OSError as error:
        status, text = 0, str(error)
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def operate(client, operation, resource, data=None, ports=None):
    """Asks a client to do it: status and answer."""
    body = {"operation": operation, "resource": resource} | ({} if data is None else {"data": data})
    return http((ports or PORTS)[client], "/operation", body)


def reads(client, resource, wanted, ports=None):
    def asked():
        status, answer = operate(client, "GET", resource, ports=ports)
        return status == 200 and isinstance(answer, dict) and answer.get("value") == wanted
    return eventually(asked)


def leader():
    return next((name for name, port in PORTS.items()
                 if name.startswith("proposer") and http(port, "/leader-status")[0] == 200), None)


class Load:
    """A client that writes one value after the other, and remembers which were acknowledged."""

    def __init__(self, client):
        self.client, self.acknowledged, self.last, self.stopped = client, {}, None, False
        self.thread = threading.Thread(target=self._write, daemon=True)

    def _write(self):
        number = 0
        while not self.stopped:
            number += 1
            key, value = f"load-{number % 50}", str(number)
            self.last = status, _ = operate(self.client, "SET", key, value)
            if status == 200:
                self.acknowledged[key] = value
                self.count = number
            else:  # it may be decided or not: another write of this key settles it
                self.acknowledged.pop(key, None)

    def __enter__(self):
        self.count = 0
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped = True
        self.thread.join(60)

    def goes_on(self):
        """Are writes acknowledged that begin from now on?"""
        before = self.count
        return eventually(lambda: self.count > before + 20)


def is_set_up():
    for container in ("proposer-1", "acceptor-5", "learner-2", "cluster-store-3", "client-5"):
        PAXOS.runs_unprivileged(container, "paxos")
    silent = [name for name, port in PORTS.items() if http(port, "/health") != (200, {"status": "healthy"})]
    check("ports 8001-8005, 8101-8105, 8201-8202, 8301-8303 and 8401-8405 of this machine lead there", not silent, silent)
    pages = {name: http(port, "/")[1] for name, port in PAGES.items()}
    check("ports 8501-8505 are the clients' pages", all("<html" in str(page) for page in pages.values()),
          {name: str(page)[:100] for name, page in pages.items()})
    names = set(re.findall(r"\b(?:proposer|acceptor|learner|cluster-store|client)-\d\b",
                           "\n".join(re.findall(r"^docker .*", (ROOT / "paxos/README.md").read_text(encoding="utf-8"), re.M))))
    check("the README's docker commands name containers that there are", names and names <= set(PORTS), names)


def pages_share_one_store():
    status, answer = operate("client-1", "SET", "x", "written at client 1", ports=PAGES)
    check("a write at client 1's page is decided", status == 200, answer)
    check("client 5's page reads it", reads("client-5", "x", "written at client 1", ports=PAGES),
          operate("client-5", "GET", "x", ports=PAGES))


def speaks_at_a_terminal():
    command = ["client-1", "paxos", "client", "--target", "proposer-1:8080"]
    with Terminal("> ", "exec", "-it", *command) as person:
        check("docker exec -it " + " ".join(command) + ": a prompt", person.waits_for_prompt(), repr(person.text[-500:]))
        for line, wanted in [("SET y João", r'"status":"decided"'), ("GET y", "João"), ("PRINT", "written at client 1")]:
            before = len(plain(person.text))
            person.keys(line + ENTER)
            check(f"{line} is answered", eventually(lambda: re.search(wanted, plain(person.text)[before + len(line):])),
                  repr(person.text[-500:]))
        person.keys("EXIT" + ENTER)
        check("EXIT ends it with status 0, and not its container",
              person.ends() == 0 and state("client-1").get("Running") is True, repr(person.text[-500:]))


def survives(what, containers, load):
    """kill -9; what was acknowledged stays, and writes go on; docker start; all are healthy again."""
    for container in containers:
        run("docker", "kill", "--signal", "KILL", container)
    dead = eventually(lambda: all(state(container).get("Running") is False for container in containers))
    check(f"{what} killed: {', '.join(containers)}: writes go on", dead and load.goes_on(), (load.count, load.last))
    for container in containers:
        run("docker", "start", container)
    check("docker start: healthy again", eventually(lambda: all(PAXOS.is_healthy(container) for container in containers)),
          [state(container) for container in containers])


def loses_nothing():
    with Load("client-2") as load:
        check("client 2 writes", load.goes_on(), (load.count, load.last))
        first = leader()
        check("one proposer leads", first is not None)
        survives("the leader", [first], load)
        check("another proposer leads", leader() is not None)
        survives("two acceptors", ["acceptor-2", "acceptor-4"], load)
        survives("a learner", ["learner-1"], load)
        survives("a store", ["cluster-store-2"], load)
    missing = {key: (value, operate("client-5", "GET", key)) for key, value in load.acknowledged.items()
               if not reads("client-5", key, value)}
    check(f"all that was acknowledged ({load.count} writes) is read at client 5", load.acknowledged and not missing, missing)

    def versions():
        return [http(PORTS[f"cluster-store-{number}"], "/resources/metadata") for number in (1, 2, 3)]
    check("the stores are equal", eventually(lambda: len({json.dumps(sorted_versions(found), sort_keys=True)
                                                            for found in versions()}) == 1), versions())


def sorted_versions(found):
    """A store's resources with their versions, without which store it is."""
    status, answer = found
    resources = answer.get("resources", answer) if isinstance(answer, dict) else answer
    if status != 200 or not isinstance(resources, list):
        return [status, answer]
    return sorted((resource.get("resource"), resource.get("version")) for resource in resources)


def story(_):
    is_set_up()
    pages_share_one_store()
    speaks_at_a_terminal()
    loses_nothing()
    # Who sent a command is whom the client says, and has no log of its own: what needs that, nobody can tell.
    status, output = PAXOS.judge()
    holds = ("no duplicates", "total order", "convergence", "gap-free seq")
    check("docker compose logs --no-color | docker compose run --rm -T lab compare -: nothing is violated",
          status in (0, 2) and "✗" not in output and all(f"✓ {name}" in output for name in holds), output[-4000:])
    status, output, exits, killed = PAXOS.down("--volumes")
    check("docker compose down: all leave by themselves, with status 0",
          status == 0 and not killed and set(exits.values()) == {"0"} and len(exits) == len(PORTS), (output[-2000:], exits))
    PAXOS.leaves_nothing()


if __name__ == "__main__":
    sys.exit(main((PAXOS, story)))
