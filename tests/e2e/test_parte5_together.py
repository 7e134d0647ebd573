#!/usr/bin/python3
"""Parte 5: what many ask at the same time shares notes between servers, and is answered and stored as if each had asked
alone."""

from chat import *

COUNT = 300


class Crowd(Socket):
    """A DEALER: it need not wait for one answer before it asks again."""

    def ask_all(self, service, questions):
        """While nobody leads, again, with the same request ids."""
        answers, deadline = {}, time.monotonic() + LIMIT
        while questions:
            for question in questions:
                message = {"service": service, "data": {"timestamp": int(time.time() * 1000), "clock": 1} | question}
                self.socket.send_multipart([b"", msgpack.packb(message)])
            for _ in questions:
                answer = msgpack.unpackb(self.socket.recv_multipart()[-1])["data"]
                answers[answer["request_id"]] = answer
            questions = [question for question in questions
                         if "no primary" in answers.get(question["request_id"], {}).get("message", "")]
            assert time.monotonic() < deadline, questions
        return answers


def notes(server):
    """How often changes were sent to a backup."""
    services = ("replicate_publish", "replicate_changes")
    return sum(event["event"] == "send" and event.get("service") in services for event in server.events())


def say_until_heard(client, subscriber):
    """A subscription takes its time to reach the publisher."""
    while not subscriber.socket.poll(200):
        assert client.ask("publish", user="ana", channel="geral", message="begin")["status"] == "OK"


def hear(subscriber):
    """The next publication after those."""
    while True:
        data = msgpack.unpackb(subscriber.socket.recv_multipart()[1])["data"]
        if data["message"] != "begin":
            return data


def test_what_is_asked_at_once_shares_notes_and_is_all_there():
    patient = {"HEARTBEAT_TIMEOUT_MS": "15000", "REPLICATION_TIMEOUT_MS": "10000", "LOG_LEVEL": "debug"}
    with Chat(**patient) as chat, chat.client() as client, chat.subscriber("geral") as subscriber:
        client.ask("login", user="ana")
        client.ask("channel", channel="geral")
        say_until_heard(client, subscriber)
        primary = chat.servers[chat.leader()]
        before = notes(primary)
        ids = [str(uuid.uuid4()) for _ in range(COUNT)]
        with Crowd(zmq.DEALER, chat.broker.endpoint("CLIENTS_PORT")) as crowd:
            answers = crowd.ask_all("publish", [{"request_id": id, "user": "ana", "channel": "geral", "message": str(i)}
                                                for i, id in enumerate(ids)])
        assert set(answers) == set(ids)
        assert all(answer["status"] == "OK" for answer in answers.values()), answers

        said = [change for change in chat.same_data() if change.get("body", "begin") != "begin"]
        assert sorted(int(change["body"]) for change in said) == list(range(COUNT))
        assert [change["seq"] for change in chat.data(1)] == list(range(1, len(chat.data(1)) + 1))
        assert notes(primary) - before < 2 * COUNT, "each of two backups was told of each change alone"

        assert [hear(subscriber)["seq"] for _ in range(COUNT)] == [change["seq"] for change in said]


if __name__ == "__main__":
    main(sys.modules[__name__])
