#!/usr/bin/python3
"""The chat under kill -9: whichever process dies, and whenever, what was acknowledged stays, has its effect once, and the
servers end alike.

    chat_kills.py [FIRST [LAST]]          schedules 1 to 10 unless told, of 10 kills each

Each number is one schedule of victims and pauses, always the same. Prints TAP, and what each schedule broke. `make
test-seeds` runs it; it takes two minutes.
"""

import traceback

from chat import *

WRITERS = 4
VICTIMS = ["primary"] * 5 + ["server1", "server2", "server3"] * 2 + ["broker", "proxy", "reference"]


def schedule(number, kills):
    """(seconds until then, who is killed)"""
    draw = random.Random(number)
    return [(draw.uniform(0, 0.5), draw.choice(VICTIMS)) for _ in range(kills)]


class Writer(threading.Thread):
    """Publishes one message after the other, and notes which of them were acknowledged."""

    def __init__(self, chat, name):
        super().__init__(daemon=True)
        self.chat, self.name, self.over = chat, name, threading.Event()
        self.acknowledged, self.refused = [], []

    def run(self):
        with self.chat.client() as client:
            while not self.over.is_set():
                text = f"{self.name} {len(self.acknowledged)}"
                answer = client.ask("publish", user=self.name, channel="geral", message=text)
                if answer["status"] != "OK":
                    self.refused.append(answer)
                    return
                self.acknowledged.append(text)

    def stop(self):
        self.over.set()
        self.join(LIMIT)
        assert not self.is_alive(), f"{self.name} waits in vain"
        assert not self.refused, self.refused


def restart(chat, role):
    """kill -9, and at once another life, on the same ports."""
    process = getattr(chat, role)
    names = {"reference": ["REFERENCE_PORT"]}.get(role, ["CLIENTS_PORT", "SERVERS_PORT"])
    ports = {name: str(process.port(name)) for name in names}
    process.kill()
    setattr(chat, role, chat.start(role, **ports).ready())


def strike(chat, victim):
    if victim in ("broker", "proxy", "reference"):
        restart(chat, victim)
        return
    number = (chat.primary() or 1) if victim == "primary" else int(victim[-1])
    chat.servers[number].kill()
    chat.start_server(number)


def all_go_on(writers):
    """Everybody is answered twice more: so whoever was killed has what was acknowledged before that."""
    before = [len(writer.acknowledged) for writer in writers]
    wait_until(lambda: all(len(writer.acknowledged) >= n + 2 or writer.refused for writer, n in zip(writers, before)),
               lambda: f"after {before}: {[len(writer.acknowledged) for writer in writers]}")


def check(chat, writers):
    """What was acknowledged is on every server, once, and in its writer's order; there are no gaps."""
    changes = chat.same_data()
    assert [change["seq"] for change in changes] == list(range(1, len(changes) + 1)), "gaps"
    said = [change["body"] for change in changes if change["type"] == "publish"]
    assert len(said) == len(set(said)), "twice"
    for writer in writers:
        assert [text for text in said if text.split()[0] == writer.name] == writer.acknowledged, writer.name


def run(number, kills):
    """How many were acknowledged, if nothing broke. The time-outs are long: who was killed is back before them."""
    with Chat(HEARTBEAT_TIMEOUT_MS="20000", REPLICATION_TIMEOUT_MS="10000") as chat, chat.client() as client:
        assert client.ask("channel", channel="geral")["status"] == "sucesso"
        writers = [Writer(chat, f"w{i}") for i in range(WRITERS)]
        for writer in writers:
            assert client.ask("login", user=writer.name)["status"] == "sucesso"
        with chat.subscriber("geral") as subscriber:
            for writer in writers:
                writer.start()
            for pause, victim in schedule(number, kills):
                time.sleep(pause)
                strike(chat, victim)
                all_go_on(writers)
            while subscriber.socket.poll(0):
                subscriber.socket.recv_multipart()
            assert subscriber.socket.poll(LIMIT * 1000), "nothing is published any more"
        for writer in writers:
            writer.stop()
        check(chat, writers)
        return sum(len(writer.acknowledged) for writer in writers)


def main(first=1, last=10, kills=10):
    numbers = range(int(first), int(last) + 1)
    print(f"1..{len(numbers)}")
    failed = 0
    for place, number in enumerate(numbers, 1):
        try:
            count = run(number, kills)
            print(f"ok {place} - schedule {number}: {kills} kills, and all of {count} acknowledged messages are there", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {place} - schedule {number} (tests/e2e/chat_kills.py {number} {number})", flush=True)
            for line in traceback.format_exc().splitlines():
                print(f"# {line}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
