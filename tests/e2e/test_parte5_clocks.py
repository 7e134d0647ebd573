#!/usr/bin/python3
"""Parte 5: servers whose clocks are wrong, and how Berkeley's rounds put them near each other."""

from chat import *

# A round trip may take long on a busy machine: nobody counts as dead for it.
PATIENT = {"HEARTBEAT_TIMEOUT_MS": "12000", "REPLICATION_TIMEOUT_MS": "2000", "LOG_LEVEL": "debug"}
YEAR_9999 = 253402300799999


class Clocks(Chat):
    """Three servers, each with so many milliseconds too much."""

    def __init__(self, *drifts, **settings):
        self.drifts = drifts
        super().__init__(len(drifts), **(PATIENT | settings))

    def start(self, role, **settings):
        if role == "server":
            settings["CLOCK_DRIFT_MS"] = str(self.drifts[int(settings["NODE_ID"][-1]) - 1])
        return super().start(role, **settings)

    def clock_events(self, number, state):
        return [event for event in self.servers[number].events("clock") if event["state"] == state]

    def rounds(self):
        """Of all coordinators, each with the corrections that came out of it, by the server's number."""
        corrections = {}
        for number in self.servers:
            for event in self.clock_events(number, "corrected"):
                corrections.setdefault((event["epoch"], event["round"]), {})[number] = event
        return sorted(((event, corrections.get((event["epoch"], event["round"]), {}))
                       for number in self.servers for event in self.clock_events(number, "round")),
                      key=lambda a_round: (a_round[0]["epoch"], a_round[0]["round"]))

    def full_rounds(self):
        """Those in which every server took part."""
        return [(event, by) for event, by in self.rounds() if len(by) == len(self.servers)]

    def talk_until(self, client, condition):
        """Every tenth message begins a round."""
        def said():
            assert client.ask("publish", user="ana", channel="geral", message="x")["status"] == "OK"
            return condition()
        return wait_until(said, lambda: self.rounds()[-3:])


def begin(client):
    client.ask("login", user="ana")
    client.ask("channel", channel="geral")


def check_bounds(rounds):
    """Servers on one machine share its clock: how far theirs are ahead of it can be compared."""
    for event, by in rounds:
        after = [correction["after_ms"] for correction in by.values()]
        assert max(after) - min(after) <= event["bound_ms"], (event, by)
        before = [correction["before_ms"] for correction in by.values()]
        assert abs(max(before) - min(before) - event["skew_ms"]) <= event["bound_ms"], (event, by)


def test_clocks_that_differ_by_seconds_end_within_the_bound():
    with Clocks(2000, -1500, 0) as chat, chat.client() as client:
        begin(client)
        chat.talk_until(client, lambda: len(chat.full_rounds()) >= 3)
        rounds = chat.full_rounds()
        check_bounds(rounds)
        first, by = rounds[0]
        # Who was slow in a round before that was left out of it; the others met without.
        before = {number: chat.clock_events(number, "corrected")[0]["before_ms"] for number in chat.servers}
        assert first["outliers"] == 0 and before == {1: 2000, 2: -1500, 3: 0}
        assert -1500 < by[1]["after_ms"] < 2000  # they met in the middle
        for server in chat.servers.values():
            server.stop()
        left = [chat.clock_events(number, "left")[0]["after_ms"] for number in chat.servers]
        assert left == [chat.clock_events(number, "corrected")[-1]["after_ms"] for number in chat.servers]


def test_the_readme_shows_what_the_log_says():
    if not shutil.which("jq"):
        raise Skip("jq is not installed")
    with open(os.path.join(ROOT, "parte5-chat/README.md"), encoding="utf-8") as file:
        line = next(line for line in file if line.startswith("jq ") and "clock" in line)
    with Clocks(2000, -1500, 0, LOG_LEVEL="info") as chat, chat.client() as client:
        begin(client)
        chat.talk_until(client, chat.full_rounds)
        shown = subprocess.run(line.replace("build/", chat.folder + "/"), shell=True, capture_output=True, check=True).stdout
        rows = [json.loads(row) for row in shown.splitlines()]
        assert {tuple(row[:2]) for row in rows} >= {("server1", 2000), ("server2", -1500), ("server3", 0)}, rows
        assert all(before + add == after for _, before, add, after in rows), rows


def test_a_clock_that_is_an_hour_off_has_no_say_and_is_corrected():
    with Clocks(0, 40, 3600000) as chat, chat.client() as client:
        begin(client)
        chat.talk_until(client, lambda: len(chat.full_rounds()) >= 2)
        rounds = chat.full_rounds()
        check_bounds(rounds)
        first, by = next((event, by) for event, by in chat.rounds() if 3 in by)  # with another one, or both
        assert first["outliers"] == 1 and by[3]["before_ms"] == 3600000
        for event in by.values():
            assert -first["bound_ms"] <= event["after_ms"] <= 40 + first["bound_ms"], by
        assert rounds[1][0]["outliers"] == 0


def test_nonsense_about_clocks_moves_nobody():
    with Clocks(0, 0, 0) as chat, chat.client() as client:
        begin(client)
        chat.talk_until(client, chat.full_rounds)
        assert chat.primary() == 1
        epoch, number = chat.rounds()[-1][0]["epoch"], chat.rounds()[-1][0]["round"]
        for port in chat.ports:
            with Socket(zmq.DEALER, f"tcp://127.0.0.1:{port}") as stranger:
                for value in (float("nan"), YEAR_9999, -1, 2**63, "noon", None):
                    for sender in (0, 2, 3, 63):  # whoever says that it is the coordinator is believed: see README.md
                        data = {"timestamp": 1, "clock": 1, "from": sender, "epoch": epoch, "round": number}
                        for kind, service, field in ((b"answer", "clock", "time"), (b"", "correct", "add"),
                                                     (b"", "clock", "time")):
                            stranger.socket.send_multipart([kind, msgpack.packb({"service": service, "data": data | {field: value}})])
                stranger.socket.send_multipart([b"", msgpack.packb({"service": "election", "data": {}})])
                while b"election" not in stranger.socket.recv_multipart()[-1]:  # it has heard all that
                    pass
        count = len(chat.full_rounds())
        chat.talk_until(client, lambda: len(chat.full_rounds()) >= count + 3)
        check_bounds(chat.full_rounds())
        for _, by in chat.rounds():
            for event in by.values():
                assert abs(event["after_ms"]) < 60000, event
        assert all(server.process.poll() is None for server in chat.servers.values())


def test_the_servers_clock_is_what_clients_are_told():
    with Clocks(3600000) as chat, chat.client() as client:
        begin(client)
        before = int(time.time() * 1000)
        told = client.ask("time")
        client.ask("publish", user="ana", channel="geral", message="x")
        stored = client.ask("history", channel="geral")["messages"][-1]
        after = int(time.time() * 1000)
        for shown in (told["time"], told["timestamp"], stored["timestamp"]):
            assert before <= shown - 3600000 <= after


def test_settings_of_the_clock_that_cannot_be():
    with hold_port() as holder:
        address = {"NODE_ID": "server1", "SERVERS": addresses_of([holder])}
        for settings in ({"CLOCK_DRIFT_MS": "soon"}, {"CLOCK_DRIFT_MS": str(10**15)}, {"CLOCK_DRIFT_PPM": "500001"}):
            process = Process("server", **(address | settings))
            assert process.process.wait(LIMIT) == 1
            wait_until(lambda: any(list(settings)[0] in line for line in process.screen), lambda: process.screen)
            shutil.rmtree(process.folder)


if __name__ == "__main__":
    main(sys.modules[__name__])
