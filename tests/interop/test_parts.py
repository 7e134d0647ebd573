#!/usr/bin/python3
"""Parts 2 to 4, driven by a client that is not ours: Python's grpcio, with nothing but bytes and JSON."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))

from store import *  # noqa: E402


def drive(part, first, others, leader=None):
    """Sets at `first`, reads everywhere; checks the replies field by field."""
    reply = first.call("Set", key="chave", value={"lista": [1, 2.5, None, "três"]})
    assert set(reply) >= {"status", "message", "node"} and reply["status"] == "ok" and reply["node"] == first.name, reply
    assert ("seq" in reply) == (part == "parte4"), reply
    for node in [first] + others:
        wait_until(lambda node=node: node.get("chave") == {"lista": [1, 2.5, None, "três"]}, f"the value at {node.name}")
        reply = node.call("Get", key="chave")
        assert isinstance(reply["local_value"], str) and reply["node"] == node.name, reply
        assert node.call("Get", key="nada")["local_value"] == "null"
        reply = node.call("Print")
        assert isinstance(reply["snapshot"], str) and list(json.loads(reply["snapshot"])) == ["chave"], reply


def refuse(node):
    """What the transport refuses is a gRPC status."""
    for method, body, code in (("Set", b"{not json", "INVALID_ARGUMENT"), ("Set", b'{"key": 1}', "INVALID_ARGUMENT"),
                               ("Set", b'{"key": ""}', "INVALID_ARGUMENT"), ("Delete", b"{}", "UNIMPLEMENTED"),
                               ("Set", b'{"key":"x","value":"' + b"x" * 2_000_000 + b'"}', "RESOURCE_EXHAUSTED")):
        with grpc.insecure_channel(f"127.0.0.1:{node.port()}") as channel:
            try:
                channel.unary_unary(f"/kv.KvService/{method}")(body, timeout=LIMIT)
                raise AssertionError(f"{method} {body[:20]} was taken")
            except grpc.RpcError as error:
                assert error.code().name == code, (method, body[:20], error.code(), error.details())


def test_parte2():
    with Store("parte2", shared_broker()) as store:
        nodes = [store.start(f"node{i + 1}") for i in range(3)]
        drive("parte2", nodes[0], nodes[1:])
        refuse(nodes[1])


def test_parte3():
    with Store("parte3", shared_broker()) as store:
        store.start("sequencer", "sequencer")
        nodes = [store.start(f"node{i + 1}") for i in range(3)]
        drive("parte3", nodes[0], nodes[1:])
        refuse(nodes[1])


def test_parte4():
    with Store("parte4", shared_broker()) as store:
        leader = store.start("leader", "leader")
        followers = [store.start(f"follower{i + 1}", "follower") for i in range(2)]
        drive("parte4", leader, followers)
        reply = followers[0].call("Set", key="x", value=1)
        assert reply["status"] == "error" and "leader" in reply["message"], reply
        refuse(followers[1])


if __name__ == "__main__":
    main(sys.modules[__name__])
