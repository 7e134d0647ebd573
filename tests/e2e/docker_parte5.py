#!/usr/bin/env python3
"""The compositions of Parte 5: people at terminals, bots, and the fault tests of the systems that it comes from: whoever
leads is stopped or killed, and the same command works again, with all data still there.

Prints TAP. `make test-docker` runs it. It needs Docker and Compose v2, and skips itself where they are not usable.
"""
import socket

from containers import *

SERVERS = ["chat_server1", "chat_server2", "chat_server3"]
BOTS = [f"{PROJECT}-bot-1", f"{PROJECT}-bot-2"]
PROMPT = "chat> "
ENVIRONMENT["LOG_LEVEL"] = "debug"  # by which the lab judges
TRIES = 60  # of a person who is told that there is no answer
PASSWORD = "a good password"
COMMON = ["chat_broker", "chat_proxy", *SERVERS, "chat_client", *BOTS]
REPLICATED = Composition("parte5-chat", [*COMMON, "chat_reference"])
SHARED = Composition("parte5-chat", COMMON, "docker-compose.ha.yml")


# ---- what is seen from outside ----

def log_of(container):
    """Of its present life."""
    return plain(run("docker", "logs", container)[1]).rsplit(" start ", 1)[-1]


def leader():
    """The server that leads, as far as the logs tell; None if there is none."""
    for container in SERVERS:
        turns = re.findall(r"\] (?:elect|step_down) +state=(\S+)", log_of(container))
        if turns and turns[-1] == "leads" and state(container).get("Running"):
            return container
    return None


def said_by_bots(composition):
    """How often each bot has been told OK, by the name that it chose."""
    return {name: sum(event.get("status") == "ok" for event in events)
            for name, events in composition.events("complete").items() if name.startswith("bot-")}


def speaks_zmtp(port):
    try:
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
            connection.settimeout(PATIENCE)
            return connection.recv(1) == b"\xff"
    except OSError:
        return False


def lines_of(container, *files):
    """What these hold."""
    status, output = run("docker", "exec", container, "sh", "-c", "cd /data && cat " + " ".join(files))
    return sorted(output.splitlines()) if status == 0 else [container, output]


# ---- a person ----

class Person(Terminal):
    """At the prompt of the client, which shows an answer for each line."""

    def __init__(self, *command):
        super().__init__(PROMPT, *command)

    def gets(self, line, wanted, what=None):
        """Types it until that is shown; as the READMEs say, the same command once more where there was no answer."""
        for _ in range(TRIES):
            before = len(plain(self.text))
            self.keys(line + ENTER)
            seen = eventually(lambda: re.search(f"{wanted}|no answer|no primary",
                                                plain(self.text)[before:].replace(PROMPT, ""), re.M))
            if not seen or seen[0] not in ("no answer", "no primary"):
                break
        return check(f"{line}: {what or wanted.removeprefix('^')}", seen and seen[0] not in ("no answer", "no primary"), repr(self.text[-1000:]))


# ---- the drills ----

def is_set_up(composition, ports):
    for container in ("chat_broker", "chat_proxy", "chat_server1", "chat_client", BOTS[0]):
        composition.runs_unprivileged(container, "parte5")
    silent = [port for port in ports if not speaks_zmtp(port)]
    check(f"ports {', '.join(map(str, ports))} of this machine lead there", not silent, silent)
    names = set(re.findall(r"\bchat_\w+", "\n".join(
        re.findall(r"^docker .*", (ROOT / "parte5-chat/README.md").read_text(encoding="utf-8"), re.M))))
    check("the README's docker commands name containers that there are", names and names <= set(composition.containers), names)
    check("one server leads", eventually(leader), [log_of(container)[-500:] for container in SERVERS])


def bots_go_on(composition, what, count=2):
    """Each of them is told OK a few times more."""
    before = said_by_bots(composition)
    after = {}

    def more():
        nonlocal after
        after = said_by_bots(composition)
        return len(after) >= count and all(said > before.get(name, 0) + 2 for name, said in after.items())
    check(f"{what}: {count} bots talk", eventually(more, 1), (before, after))


def people_talk(ana, enter):
    check("docker compose run --rm client: a prompt", ana.waits_for_prompt(), repr(ana.text[-500:]))
    enter(ana, "ana")
    ana.gets("create sala", "^OK")
    ana.gets("users", "^ana")
    ana.gets("channels", "^sala")
    with Person("attach", "chat_client") as rui:
        check("docker attach chat_client: Enter shows the prompt", rui.waits_for_prompt(), repr(rui.text[-500:]))
        enter(rui, "rui")
        rui.gets("join sala", "^OK")
        ana.gets("pub sala olá, João", "^OK")
        check("who joined hears it above the prompt", rui.sees(r"\[sala\] ana: olá, João\n"), repr(rui.text[-500:]))
        ana.gets("msg rui só para você", "^OK")
        check("a private message reaches its receiver", rui.sees(r"\[rui\] ana: só para você\n"), repr(rui.text[-500:]))
        rui.keys(CTRL_P_CTRL_Q)
        check("Ctrl-P Ctrl-Q leaves the client running",
              rui.ends() is not None and state("chat_client").get("Running") is True, state("chat_client"))


def goes_on(person, number):
    """The same commands as ever; each note is there once, also those from before."""
    person.gets(f"msg ana note {number}", "^OK")
    person.gets("history", "\n".join(rf"\[ana\] ana: note {i}" for i in range(1, number + 1)), f"all {number} notes")


def is_stopped(composition, person, container, how, number):
    """Stopped or killed; the same commands work, and work on when it is started again."""
    led = container == leader()
    run("docker", *how, container)
    what = f"docker {' '.join(how)} {container}" + (" (leads)" if led else "")
    check(what, eventually(lambda: state(container).get("Running") is False), state(container))
    goes_on(person, number)
    if led:
        check("another server leads", eventually(lambda: leader() not in (None, container)), leader())
    run("docker", "start", container)
    check(f"docker start {container}: healthy again", eventually(lambda: composition.is_healthy(container)), state(container))


def servers_are_stopped(composition, person):
    """Each of them, whoever leads first. docker stop is SIGTERM, and it says goodbye; docker kill is kill -9. The last
    number of a note."""
    eventually(leader)
    for number, container in enumerate(sorted(SERVERS, key=lambda container: container != leader()), 1):
        is_stopped(composition, person, container, ["stop"], number)
    is_stopped(composition, person, eventually(leader) or SERVERS[0], ["kill", "--signal", "KILL"], 4)
    return 4


def is_judged(composition):
    """Once the bots are silent; what they were told is what may not be lost."""
    status, output = composition.judge()
    check("docker compose logs --no-color | docker compose run --rm -T lab compare -: all holds",
          status == 0 and re.search(r"✓ nothing acknowledged lost +[1-9]", output) and "✗" not in output, output[-3000:])


def ends(composition):
    status, output, exits, killed = composition.down("--volumes")
    check("docker compose down: all leave by themselves, with status 0",
          status == 0 and not killed and set(exits.values()) == {"0"}, (output[-2000:], exits))
    composition.leaves_nothing()


# ---- the replicated one ----

def log_in(person, name):
    person.gets(f"login {name}", "^OK")


def clocks_are_set():
    """Server 2 has a wrong one, on purpose."""
    seen = {}

    def corrected():
        seen.update(REPLICATED.events("clock"))
        return [event for event in seen.get("server2", []) if event.get("state") == "corrected"]
    check("every ten messages the clocks of the servers are set", eventually(corrected, 1), seen)


def servers_are_equal():
    """Once the bots are silent."""
    run("docker", "stop", *BOTS, f"{PROJECT}-bot-3")
    seen = {}

    def equal():
        seen.update({container: lines_of(container, "users.json", "channels.json", "publications.json", "messages.json")
                     for container in SERVERS})
        return len({json.dumps(lines) for lines in seen.values()}) == 1
    check("all servers have the same data on their disks", eventually(equal), json.dumps(seen, indent=1)[-3000:])


def replicated(composition):
    is_set_up(composition, range(5555, 5563))
    with Person(*composition.command("run", "--rm", "client")[1:]) as ana:
        people_talk(ana, log_in)
        bots_go_on(composition, "from the start")
        clocks_are_set()
        number = servers_are_stopped(composition, ana)
        is_stopped(composition, ana, "chat_reference", ["kill", "--signal", "KILL"], number + 1)
        is_stopped(composition, ana, "chat_proxy", ["kill", "--signal", "KILL"], number + 2)
        run("docker", "kill", "--signal", "KILL", "chat_broker")
        run("docker", "start", "chat_broker")
        goes_on(ana, number + 3)
        status, output = composition.compose("up", "--detach", "--no-recreate", "--scale", "bot=3")
        check("docker compose up --scale bot=3", status == 0, output)
        bots_go_on(composition, "after all that", 3)
        ana.keys("quit" + ENTER)
        check("quit ends the client with status 0", ana.ends() == 0, repr(ana.text[-500:]))
    servers_are_equal()
    is_judged(composition)
    ends(composition)


# ---- the highly available one ----

def register(person, name):
    for line in (f"register {name}", f"login {name}"):
        person.gets(line, "password: $", "asks for the password")
        person.gets(PASSWORD, "^OK", "taken")
    check("the password is not shown", PASSWORD not in plain(person.text), repr(person.text[-500:]))


def is_paused(person, number):
    """The leader sleeps past its lease: another one leads; awake again, it says that it follows, and takes nothing."""
    container = eventually(leader) or SERVERS[0]
    awake = next(other for other in SERVERS if other != container)
    before = json.loads(lines_of(awake, "leader.lock")[0])
    run("docker", "pause", container)
    check(f"docker pause {container} (leads): it sleeps", state(container).get("Paused") is True, state(container))
    check("the next reign has a higher number", eventually(
        lambda: json.loads((lines_of(awake, "leader.lock") + ["{}"])[0]).get("fence", 0) > before["fence"]), before)
    goes_on(person, number)
    run("docker", "unpause", container)
    check("docker unpause: it steps down", eventually(lambda: "step_down" in log_of(container).rsplit("state=leads", 1)[-1]),
          log_of(container)[-1000:])
    goes_on(person, number + 1)


def shared(composition):
    is_set_up(composition, [5555, 5556, 5557, 5558])
    with Person(*composition.command("run", "--rm", "client")[1:]) as ana:
        people_talk(ana, register)
        bots_go_on(composition, "from the start")
        number = servers_are_stopped(composition, ana)
        is_paused(ana, number + 1)
        bots_go_on(composition, "after all that")
        ana.keys("quit" + ENTER)
        check("quit ends the client with status 0", ana.ends() == 0, repr(ana.text[-500:]))
    run("docker", "stop", *BOTS)
    is_judged(composition)
    notes = [line for line in lines_of(SERVERS[0], "mensagens.json") if '"note ' in line]
    check("the volume has every note once", len(notes) == number + 2 == len(set(notes)), notes)
    names = lines_of(SERVERS[0], "usuarios.json")
    check("and of passwords only what they were hashed to", len(names) >= 4 and not any(PASSWORD in name for name in names), names)
    ends(composition)


if __name__ == "__main__":
    sys.exit(main((REPLICATED, replicated), (SHARED, shared)))
