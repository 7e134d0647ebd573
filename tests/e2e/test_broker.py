#!/usr/bin/python3
"""The private RabbitMQ of `lab broker`: what students, tests and `lab run` start when no broker is named."""

import pika

from ordem import *

DURABLE = pika.BasicProperties(delivery_mode=2)


def connected(url):
    return pika.BlockingConnection(pika.URLParameters(url))


def publish(url, queue, *bodies, **declaration):
    connection = connected(url)
    channel = connection.channel()
    channel.confirm_delivery()
    channel.queue_declare(queue, durable=True, **declaration)
    for body in bodies:
        channel.basic_publish("", queue, body, DURABLE)
    connection.close()


def taken(url, queue):
    connection = connected(url)
    channel = connection.channel()
    bodies = []
    while True:
        method, _, body = channel.basic_get(queue, auto_ack=True)
        if method is None:
            break
        bodies.append(body.decode())
    connection.close()
    return bodies


def marked_lab(*arguments, stdin=subprocess.PIPE, **more):
    """`lab broker`, and a text that stands in the environment of all its processes."""
    marker = f"ORDEM_TEST={uuid.uuid4()}"
    name, value = marker.split("=")
    process = subprocess.Popen([program("lab"), "broker", *arguments], stdin=stdin, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=os.environ | {name: value}, **more)
    return process, marker


def folder_of(process):
    process.stdin.write("folder\n")
    process.stdin.flush()
    return process.stdout.readline().rstrip("\n").partition(" ")[2]


def epmds():
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                if file.read().strip() == "epmd":
                    found.add(pid)
        except OSError:
            pass
    return found


def test_it_starts_on_loopback_and_knows_no_other_broker():
    broker = shared_broker()
    publish(broker.url, "one", "a", "b")
    assert broker.list_queues() == [{"name": "one", "messages": 2}], broker.list_queues()
    assert taken(broker.url, "one") == ["a", "b"]
    listening = subprocess.run(["cat", "/proc/net/tcp"], capture_output=True, text=True, check=True).stdout.split("\n")
    addresses = [line.split()[1] for line in listening if f":{broker.port:04X} " in line and " 0A " in line]
    assert addresses == [f"0100007F:{broker.port:04X}"], addresses


def test_what_is_durable_survives_kill_and_restart():
    broker = shared_broker()
    publish(broker.url, "durable", *map(str, range(100)))
    broker.sync_metadata()
    broker.kill()
    try:
        connected(broker.url)
        raise AssertionError("a killed broker answered")
    except pika.exceptions.AMQPConnectionError:
        pass
    broker.restart()
    assert taken(broker.url, "durable") == list(map(str, range(100)))


def test_a_paused_broker_answers_later():
    broker = shared_broker()
    connection = connected(broker.url)
    broker.pause()
    broker.resume()
    connection.channel().queue_declare("after")
    connection.close()


def test_commands_that_cannot_be_obeyed_are_refused_in_a_sentence():
    broker = shared_broker()
    for line, expected in (("kill 9", "no node 9 that runs"), ("start", "no node 1 that is down"),
                           ("start 1 2", "one number at most"), ("kill -1", "one number at most"), ("dance", '"dance" is not known'),
                           ("kill " + "x" * 10000, "one number at most"), ("\x1b[31m\x00", "is not known")):
        broker.process.stdin.write(line + "\n")
        broker.process.stdin.flush()
        answer = broker.process.stdout.readline()
        assert answer.startswith("error ") and expected in answer and "\x1b" not in answer, (line, answer)
    broker.pause()
    broker.resume()


def test_nothing_is_left_over_when_the_lab_is_killed():
    before = epmds()
    for paused in (False, True):
        process, marker = marked_lab()
        assert process.stdout.readline().startswith("AMQP_URL=amqp://guest:guest@127.0.0.1:")
        folder = folder_of(process)
        assert len(alive(marker)) >= 3, alive(marker)
        if paused:
            process.stdin.write("pause\n")
            process.stdin.flush()
            assert process.stdout.readline() == "paused 1\n"
        process.kill()
        process.communicate()
        wait_until(lambda m=marker: not alive(m), "the end of all that the lab had started")
        assert not os.path.exists(folder)
    assert epmds() <= before


def test_nothing_is_left_over_when_the_lab_is_killed_while_rabbitmq_starts():
    process, marker = marked_lab()
    wait_until(lambda: len(alive(marker)) >= 3, "the broker's first processes")
    process.kill()
    process.communicate()
    wait_until(lambda: not alive(marker), "the end of all that the lab had started")


def test_it_ends_with_a_signal_or_its_input_and_removes_its_folder():
    for end in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, None):
        process, marker = marked_lab()
        assert process.stdout.readline().startswith("AMQP_URL=")
        folder = folder_of(process)
        if end is not None:
            process.send_signal(end)
            process.wait(LIMIT)
        _, err = process.communicate(timeout=LIMIT)
        assert process.returncode == 0 and err == "", (end, process.returncode, err)
        assert not os.path.exists(folder)
        wait_until(lambda m=marker: not alive(m), "the end of all that Erlang had started")


def test_an_input_that_is_no_pipe_does_not_end_it():
    process, marker = marked_lab(stdin=subprocess.DEVNULL)
    assert process.stdout.readline().startswith("AMQP_URL=")
    assert process.poll() is None
    process.terminate()
    process.communicate(timeout=LIMIT)
    assert process.returncode == 0
    wait_until(lambda: not alive(marker), "the end of all that Erlang had started")


def test_it_runs_from_folders_with_unusual_names():
    with tempfile.TemporaryDirectory(prefix="ordem-test-") as above:
        for name in ("with a space", "açúcar", "it's"):
            process, _ = marked_lab("--out", name, cwd=above)
            assert process.stdout.readline().startswith("AMQP_URL="), process.communicate()
            folder = folder_of(process)
            # A quote is more than RabbitMQ's scripts bear: the scratch folder is somewhere else then.
            assert folder.startswith(os.path.join(os.path.realpath(above), name)) == (name != "it's"), folder
            process.communicate(timeout=LIMIT)
            assert not os.path.exists(folder)


def test_an_ordinary_user_can_start_it():
    if os.getuid() != 0:
        raise Skip("this is an ordinary user: the other tests have shown it")
    with tempfile.TemporaryDirectory(prefix="ordem-test-") as folder:
        os.chmod(folder, 0o755)
        copy = shutil.copy(program("lab"), folder)
        process = subprocess.Popen([copy, "broker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, user=65534,
                                   group=65534, extra_groups=[], cwd="/", env=os.environ | {"TMPDIR": "/tmp"})
        assert process.stdout.readline().startswith("AMQP_URL=")
        assert os.stat(folder_of(process)).st_uid == 65534
        process.communicate(timeout=LIMIT)


def test_a_broker_that_does_not_start_is_explained():
    with tempfile.TemporaryDirectory(prefix="ordem-test-") as folder:
        os.chmod(folder, 0o555)
        arguments = ("--out", os.path.join(folder, "below"))
        if os.getuid() == 0:  # whom no mode keeps out
            arguments = ("--out", "/proc/nowhere")
        process, _ = marked_lab(*arguments)
        out, err = process.communicate(timeout=LIMIT)
        assert process.returncode == 2 and out == "" and "--out" in err and err.count("\n") == 1, err
    process, _ = marked_lab("--nodes", "8")
    out, err = process.communicate(timeout=LIMIT)
    assert process.returncode == 2 and "at most 7" in err, err


def test_three_nodes_are_one_cluster_that_outlives_the_death_of_one():
    before = epmds()
    with Broker(nodes=3) as broker:
        assert len(broker.urls) == 3
        publish(broker.urls[0], "q", "before", arguments={"x-queue-type": "quorum"})
        status = json.loads(broker.control("cluster_status", "--formatter", "json"))
        assert sorted(status["running_nodes"]) == [f"rabbit@127.0.0.{n}" for n in (1, 2, 3)], status
        broker.kill(1)
        # A new leader of the queue may not have been chosen at once.
        wait_until(lambda: publishes(broker.urls[1], "q", "after"), "the queue's next leader")
        broker.restart(1)
        # Who heard of a failure has asked again, and the first may have been taken all the same.
        assert list(dict.fromkeys(taken(broker.urls[0], "q"))) == ["before", "after"]
    assert epmds() <= before


def publishes(url, queue, body):
    try:
        publish(url, queue, body, arguments={"x-queue-type": "quorum"})
        return True
    except pika.exceptions.AMQPError:
        return False


if __name__ == "__main__":
    main(sys.modules[__name__])
