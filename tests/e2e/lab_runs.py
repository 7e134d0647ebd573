"""A `lab run`, and what it left behind: its judgement and its logs."""

import contextlib

from ordem import *


def send_signal(pids, number):
    """To whoever has not ended meanwhile."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


class Run:
    """One run in a folder of its own; its status, its judgement and its logs."""

    def __init__(self, part, *arguments, meanwhile=lambda run: None, **environment):
        self.folder = tempfile.mkdtemp(prefix="ordem-test-")
        self.marker = f"ORDEM_TEST={uuid.uuid4()}"
        name, _, value = self.marker.partition("=")
        with subprocess.Popen([program("lab"), "run", part, "--json", "--out", self.folder, *arguments], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=os.environ | {name: value} | environment) as self.process:
            try:
                meanwhile(self)
                self.out, self.err = self.process.communicate(timeout=5 * LIMIT)
            except BaseException:
                self.process.kill()
                raise
        self.status = self.process.returncode
        assert self.out != "", f"status {self.status}: {self.err}"
        self.judgement = json.loads(self.out)
        assert self.err == "", self.err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    def leaders(self, *names):
        """(when, who) of each time that one of these began to lead."""
        return sorted((event["ts"], name) for name in names for event in self.events(name, "elect")
                      if event.get("state", "leads") == "leads")

    def successors(self, leader, *names):
        """Who led after the member that the lab's first event befell, as the one who led. The lab finds out who that is and
        then acts: who is elected in between does not make its choice wrong."""
        happened = self.log("lab")[0]["ts"]
        elected = self.leaders(*names)
        begun = max(when for when, name in elected if name == leader and when < happened)
        return [name for when, name in elected if when > begun]

    def processes(self, name):
        """While it lasts: those of this run whose program has that name, or that were told that it is theirs."""
        found = []
        for pid in alive(self.marker):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/comm", encoding="utf-8") as comm, open(f"/proc/{pid}/environ", "rb") as environ:
                    if comm.read().strip() == name or f"NODE_ID={name}".encode() in environ.read().split(b"\0"):
                        found.append(pid)
        return found

    def wait_for(self, name, kind, count):
        """While it lasts: until that log holds so many such events."""
        wait_until(lambda: self.process.poll() is not None or
                   len(read_log(os.path.join(self.folder, f"{name}.jsonl"), kind)) >= count, f"{count} {kind} of {name}")

    def log(self, name):
        path = os.path.join(self.folder, f"{name}.jsonl")
        assert os.path.exists(path), path
        return read_log(path)

    def events(self, name, kind):
        return [event for event in self.log(name) if event["event"] == kind]

    def planned(self):
        return [(event["event"], event["target"]) for event in self.log("lab")]

    def requests(self):
        """(invocation, completion) of each request, in the order of the invocations."""
        completions = {}
        invocations = []
        for event in self.log("clients"):
            if event["event"] == "invoke":
                assert event["message_uuid"] not in completions
                invocations.append(event)
                completions[event["message_uuid"]] = None
            elif event["event"] == "complete":
                assert completions[event["message_uuid"]] is None, "completed twice, or before it was invoked"
                completions[event["message_uuid"]] = event
        assert None not in completions.values(), "a request never ended"
        return [(event, completions[event["message_uuid"]]) for event in invocations]

    def statuses(self):
        found = {}
        for _, completion in self.requests():
            found[completion["status"]] = found.get(completion["status"], 0) + 1
        return found

    def outcomes(self):
        """The guarantees that do not hold."""
        return {name: verdict["outcome"] for name, verdict in self.judgement["verdicts"].items()
                if verdict["outcome"] != "holds"}


__all__ = ["Run", "send_signal"]
