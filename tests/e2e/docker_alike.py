#!/usr/bin/env python3
"""The compositions are alike where the rule of their part does not differ, so that a diff of two shows the lesson.

Prints TAP. `make test-docker` runs it. It needs Compose v2, and starts nothing.
"""
from containers import *

BROKERED = ["parte2-multipub", "parte3-sequencer", "parte4-leader"]
# What tells a node of one part from that of another, or from its neighbour.
OWN = ["PART", "NODE_ID", "RPC_PORT", "ROLE", "container_name", "ports", "volumes"]
NETWORK = ("NET_", "LOG_", "LANG", "NO_COLOR")


def services(file):
    """The services as Compose understands them."""
    status, output = run("docker", "compose", "-f", str(ROOT / file), "--profile", "*", "config",
                         "--format", "json")
    if not check(f"{file} is understood", status == 0, output):
        return {}
    return json.loads(output)["services"]


def without_own(service):
    """The same without what is its own, at any depth."""
    if isinstance(service, dict):
        return {name: without_own(value) for name, value in service.items() if name not in OWN}
    return service


def are_alike(name, found):
    """Are all values of this dictionary equal?"""
    first = next(iter(found.values()), None)
    different = {where: what for where, what in found.items() if what != first}
    check(name, found and not different, json.dumps([first, different], indent=1))


def labs_are_alike():
    files = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob("p*/docker-compose*.yml"))]
    found = {file: services(file) for file in files}
    for file, of_file in found.items():
        check(f"{file} has a lab that `up` does not start", of_file.get("lab", {}).get("profiles") == ["lab"])
    are_alike("all have the same lab", {file: of_file.get("lab") for file, of_file in found.items()})
    return found


def nodes_are_alike(found):
    brokers, nodes = {}, {}
    for folder in BROKERED:
        for name, service in found[f"{folder}/docker-compose.yml"].items():
            if name == "rabbitmq":
                brokers[folder] = without_own(service)
            elif "ports" in service:
                nodes[f"{folder}: {name}"] = without_own(service)
                port = service["environment"]["RPC_PORT"]
                check(f"{folder}: {name} is called at {port}, inside and outside",
                      [(str(p["published"]), str(p["target"])) for p in service["ports"]] == [(str(port), str(port))], service)
    are_alike("the brokers of parts 2 to 4 differ in their names only", brokers)
    are_alike("the nodes of parts 2 to 4 differ in their names, ports and roles only", nodes)
    bad_network = {
        folder: {name: value for name, value in service["environment"].items()
                 if name.startswith(NETWORK) and name != "NET_DUPLICATE"}  # what TCP rules out
        for folder, service in [("parte1", found["parte1-multicast/docker-compose.yml"]["node1"]),
                                ("parte2", found["parte2-multipub/docker-compose.yml"]["node1"])]}
    are_alike("Parte 1 takes the same settings", bad_network)


def clusters_are_alike(found):
    brokers = {}
    for folder in ["parte3-sequencer", "parte4-leader"]:
        one, cluster = (found[f"{folder}/docker-compose{kind}.yml"] for kind in ("", ".cluster"))
        check(f"{folder}: the cluster has the services of one broker, and two brokers more",
              set(cluster) == set(one) | {"rabbitmq2", "rabbitmq3"}, list(cluster))
        brokers[folder] = {name: without_own(cluster[name]) for name in cluster if name.startswith("rabbitmq")}
        for name in sorted(set(one) - {"rabbitmq", "lab"}):
            changed = {setting: value for setting, value in cluster[name]["environment"].items()
                       if one[name]["environment"].get(setting) != value}
            check(f"{folder}: {name} knows three brokers, and asks for quorum queues",
                  set(changed) == {"AMQP_URL", "AMQP_QUEUE_TYPE"} and changed["AMQP_URL"].count("amqp://") == 3, changed)
    are_alike("the brokers of both clusters differ in their names only", brokers)


def chats_are_alike(found):
    one, shared = (found[f"parte5-chat/docker-compose{kind}.yml"] for kind in ("", ".ha"))
    check("parte5: over a shared volume there is no reference server, and nothing new", set(one) - set(shared) == {"reference"}
          and set(shared) < set(one), list(shared))
    for name in shared:
        settings = [service[name].get("environment", {}) for service in (one, shared)]
        changed = {setting for both in settings for setting in both if settings[0].get(setting) != settings[1].get(setting)}
        if name.startswith("server"):
            check(f"parte5: {name} is coordinated in another way, and lets in who has a password",
                  {"COORDINATION", "ACCOUNTS", "REFERENCE", "LEASE_MS"} <= changed <= set(settings[0]) | {"LEASE_MS"}, changed)
            volumes = [[volume["source"] for volume in service[name]["volumes"]] for service in (one, shared)]
            check(f"parte5: {name} has its own data, or all share one", volumes == [[name], ["election-data"]], volumes)
        else:
            are_alike(f"parte5: {name} is the same", {"replicated": one[name], "shared": shared[name]})


def story():
    found = labs_are_alike()
    nodes_are_alike(found)
    clusters_are_alike(found)
    chats_are_alike(found)


if __name__ == "__main__":
    sys.exit(main(story))
