#!/usr/bin/python3
"""Parte 5: servers whose disk is full: writes are refused or go elsewhere, reads are served, and nothing is lost."""

import errno
import resource

from chat import *
from test_parte5_ha import SharedChat

FULL = "the disk is full: nothing is written until there is room again"
LONG = "x" * 10000
# Who is only slow is not left behind, and not believed dead.
PATIENT = {"HEARTBEAT_TIMEOUT_MS": "10000", "REPLICATION_TIMEOUT_MS": "5000"}


def limit(server, size=64 * 1024):
    """No file of that process may grow beyond this: as good as a full disk, and needs no rights."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def lift(server):
    limit(server, resource.RLIM_INFINITY)


def begin(client):
    assert client.ask("login", user="ana")["status"] == "sucesso"
    assert client.ask("channel", channel="geral")["status"] == "sucesso"


def publish(client, number):
    """Asked again after a refusal it is the same request, and takes effect once."""
    return client.ask("publish", user="ana", channel="geral", message=f"{number} {LONG}",
                      request_id=str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))))


def publish_one(client, number):
    """Until it is acknowledged: from then on no earlier try of it waits anywhere. Returns how many were acknowledged."""
    wait_until(lambda: publish(client, number)["status"] == "OK", lambda: f"{number} acknowledged, and no more")
    return number + 1


def publish_until(client, first, condition):
    """Returns how many were acknowledged in all."""
    count = first

    def said():
        nonlocal count
        count += publish(client, count)["status"] == "OK"
        return condition()

    wait_until(said, lambda: f"{count} acknowledged")
    return count


def fill(client):
    """Until the disk is full; returns how many were acknowledged."""
    count = 0
    while (answer := publish(client, count))["status"] == "OK":
        count += 1
    assert answer == answer | {"status": "erro", "message": FULL}, answer
    return count


def said(server, reason):
    return [event for event in server.events("recover") if event.get("reason") == reason]


def numbers(changes):
    return [int(change["body"].split()[0]) for change in changes if change["type"] == "publish"]


def check_reads(client, count):
    assert client.ask("users")["users"] == ["ana"] and client.ask("channels")["channels"] == ["geral"]
    messages = client.ask("history", channel="geral", limit=1000)["messages"]
    assert [int(message["message"].split()[0]) for message in messages] == list(range(count))


def check_alone(chat, client):
    """One server, whose disk is full after a few messages: what holds then. Returns how many were acknowledged."""
    begin(client)
    count = fill(client)
    assert count > 0
    for _ in range(3):
        check_reads(client, count)
        assert publish(client, count)["message"] == FULL
    assert client.ask("login", user="eva")["description"] == FULL
    assert numbers(chat.data(1)) == list(range(count))
    assert said(chat.servers[1], "full") and chat.servers[1].process.poll() is None
    return count


def test_one_server_refuses_writes_and_serves_reads_until_there_is_room():
    with Chat(servers=1) as chat, chat.client() as client:
        limit(chat.servers[1])
        count = check_alone(chat, client)
        lift(chat.servers[1])
        wait_until(lambda: said(chat.servers[1], "room"), "room")
        count = publish_one(client, count)
        check_reads(client, count)
        chat.servers[1].kill()
        chat.start_server(1)
        count = publish_until(client, count, lambda: chat.primary() == 1)
        count = publish_one(client, count)
        check_reads(client, count)


class SmallDisk(Chat):
    """Its one server's data are on a file system of their own, with little room."""

    def start(self, role, **settings):
        if role == "server":
            self.disk = os.path.join(self.folder, f"data-{settings['NODE_ID']}")
            if not os.path.ismount(self.disk):
                os.makedirs(self.disk)
                if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", self.disk],
                                  stderr=subprocess.DEVNULL, check=False).returncode != 0:
                    raise Skip("no right to mount a file system")
        return super().start(role, **settings)

    def take_all_room(self):
        try:
            with open(os.path.join(self.disk, "filler"), "ab", buffering=0) as filler:
                while filler.write(bytes(4096)) > 0:
                    pass
        except OSError as error:
            assert error.errno == errno.ENOSPC

    def make_room(self):
        subprocess.run(["mount", "-o", "remount,size=1m", self.disk], check=True)

    def __exit__(self, *_):
        for server in self.servers.values():
            server.kill()
        if os.path.ismount(getattr(self, "disk", "/nowhere")):
            subprocess.run(["umount", self.disk], check=True)
        super().__exit__()


def test_a_file_system_without_room():
    with SmallDisk(servers=1) as chat, chat.client() as client:
        count = check_alone(chat, client)
        chat.servers[1].kill()
        chat.take_all_room()
        chat.start_server(1)

        def is_full():  # it gives back what it had set aside, and may write that full again
            chat.take_all_room()
            return said(chat.servers[1], "full")

        count = publish_until(client, count, is_full)
        chat.take_all_room()
        check_reads(client, count)
        assert publish(client, count)["message"] == FULL
        chat.make_room()
        wait_until(lambda: said(chat.servers[1], "room"), "room")
        count = publish_one(client, count)
        check_reads(client, count)
        assert numbers(chat.data(1)) == list(range(count))


def test_a_primary_that_cannot_write_leads_no_more():
    with Chat() as chat, chat.client() as client:
        begin(client)
        first = chat.leader()
        limit(chat.servers[first])
        count = publish_until(client, 0, lambda: said(chat.servers[first], "full"))
        count = publish_until(client, count, lambda: chat.primary() not in (None, first))
        count = publish_one(client, count)
        wait_until(lambda: all_know_the_leader(chat), "reads are passed on by all that lack something")
        check_reads(client, count)
        lift(chat.servers[first])
        wait_until(lambda: said(chat.servers[first], "room"), "room")
        data = chat.same_data()
        assert numbers(data) == sorted(set(numbers(data)))
        assert set(range(count)) <= set(numbers(data))


def test_a_backup_that_cannot_write_is_left_behind_and_returns():
    # However slow the machine, the one that leads goes on leading.
    with Chat(HEARTBEAT_TIMEOUT_MS="12000") as chat, chat.client() as client:
        begin(client)
        first = chat.leader()
        backup = next(number for number in chat.servers if number != first)
        limit(chat.servers[backup])
        count = publish_until(client, 0, lambda: said(chat.servers[backup], "full"))
        count = publish_until(client, count, lambda: any(
            e["reason"].startswith("does not answer") for server in chat.servers.values()
            for e in server.events("disconnect") if "reason" in e))
        count = publish_one(client, count)
        wait_until(lambda: all_know_the_leader(chat), "reads are passed on by all that lack something")
        for _ in range(3):  # one of the three times the backup is asked, and passes it on
            check_reads(client, count)
        lift(chat.servers[backup])
        assert set(range(count)) <= set(numbers(chat.same_data()))


def test_where_all_disks_are_full_writes_are_refused_and_reads_served():
    with Chat(**PATIENT) as chat, chat.client() as client:
        begin(client)
        for server in chat.servers.values():
            limit(server)
        count = publish_until(client, 0, lambda: all(said(server, "full") for server in chat.servers.values()))
        wait_until(lambda: publish(client, count).get("message") == FULL, "a refusal")
        for _ in range(3):
            assert publish(client, count)["message"] == FULL
            messages = client.ask("history", channel="geral", limit=1000)["messages"]
            assert {int(message["message"].split()[0]) for message in messages} >= set(range(count))
        for server in chat.servers.values():
            lift(server)
        wait_until(lambda: all(said(server, "room") for server in chat.servers.values()), "room everywhere")
        count = publish_until(client, count, chat.primary)
        assert set(range(count)) <= set(numbers(chat.same_data()))


def break_disk(chat, number):
    """What it writes next, an epoch, cannot be written, and not for want of room."""
    os.mkdir(os.path.join(chat.folder, f"data-server{number}", "epoch.json.new"))


def all_know_the_leader(chat):
    """Those that do not cannot pass a write on to it; the broker asks each in its turn."""
    with Socket(zmq.REQ, chat.broker.endpoint("CLIENTS_PORT")) as asker:
        asker.socket.rcvtimeo = 2000
        try:
            return all(asker.ask("login", user="ana", request_id=str(uuid.uuid4()))["status"] == "sucesso" for _ in chat.servers)
        except zmq.Again:  # who takes over forgets whom it had to answer
            return False


def test_a_server_whose_disk_fails_does_not_stand_in_the_way():
    with Chat(**PATIENT) as chat, chat.client() as client:
        begin(client)
        count = publish_one(client, 0)
        chat.same_data()
        first = chat.leader()
        second = min(number for number in chat.servers if number != first)
        break_disk(chat, second)
        chat.servers[first].kill()
        count = publish_until(client, count, lambda: said(chat.servers[second], "lost"))
        count = publish_until(client, count, lambda: chat.primary() not in (None, first, second))
        count = publish_one(client, count)
        wait_until(lambda: all_know_the_leader(chat), "reads are passed on by all that lack something")
        for _ in range(2):
            check_reads(client, count)
        chat.start_server(first)
        count = publish_until(client, count, lambda: chat.primary() == first)
        count = publish_one(client, count)
        wait_until(lambda: all_know_the_leader(chat), "reads are passed on by all that lack something")
        check_reads(client, count)
        assert chat.servers[second].process.poll() is None and len(chat.data(second)) < len(chat.data(first))


def test_one_server_whose_disk_fails_serves_reads():
    with Chat(servers=1) as chat, chat.client() as client:
        begin(client)
        count = publish_one(client, 0)
        chat.servers[1].kill()
        break_disk(chat, 1)
        chat.start_server(1)
        wait_until(lambda: said(chat.servers[1], "lost"), "an epoch that cannot be written")
        for _ in range(3):
            check_reads(client, count)
            assert publish(client, count)["message"] == "the disk fails: nothing is written any more"
        assert numbers(chat.data(1)) == list(range(count))


def test_a_leader_on_a_full_volume_goes_on_leading_and_serves_reads():
    with SharedChat(servers=2, LEASE_MS="20000") as chat, chat.client() as client:
        begin(client)
        first = chat.leader()
        leader = chat.servers[first]
        limit(leader)
        count = fill(client)
        for _ in range(3):
            check_reads(client, count)
            assert publish(client, count)["message"] == FULL
        assert numbers(chat.data()) == list(range(count))
        lift(leader)
        wait_until(lambda: said(leader, "room"), "room")
        count = publish_one(client, count)
        check_reads(client, count)
        leader.stop()  # it leaves the lease to the other one
        count = publish_until(client, count, lambda: chat.primary() not in (None, first))
        count = publish_one(client, count)
        check_reads(client, count)


def test_the_reference_server_tells_no_rank_that_it_cannot_keep():
    with Process("reference") as reference, Socket(zmq.REQ, reference.endpoint("REFERENCE_PORT")) as server:
        assert server.ask("rank", user="s1")["rank"] == 1
        limit(reference, 5)  # "s1\n", and half a line
        for _ in range(2):
            answer = server.ask("rank", user="server2")
            assert answer["status"] == "erro" and "ranks.txt, cannot be read or written: " in answer["description"], answer
            assert server.ask("rank", user="s1")["rank"] == 1
        lift(reference)
        assert server.ask("rank", user="s3")["rank"] == 2
        reference.kill()
        with Process("reference", reference.folder) as again, Socket(zmq.REQ, again.endpoint("REFERENCE_PORT")) as asked:
            assert [asked.ask("rank", user=name)["rank"] for name in ("s3", "s1", "server2")] == [2, 1, 3]


if __name__ == "__main__":
    main(sys.modules[__name__])
