"""A `lab run`, and what it left behind: its judgement and its logs."""

from ordem import *


class Run:
    """One run in a folder of its own; its status, its judgement and its logs."""

    def __init__(self, part, *arguments, **environment):
        self.folder = tempfile.mkdtemp(prefix="ordem-test-")
        self.status, self.out, self.err = lab("run", part, "--json", "--out", self.folder, *arguments, **environment)
        assert self.out != "", f"status {self.status}: {self.err}"
        self.judgement = json.loads(self.out)
        assert self.err == "", self.err

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

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


__all__ = ["Run"]
