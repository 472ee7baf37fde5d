#!/usr/bin/env python3
"""Long outages at the logger's usual pace: what a test suite has no time for. Takes about four minutes.

    python3 Tests/Interop/wandb_outages.py [.build/release/espalier]

- the server is down for the first 30 seconds
- an outage of 25 seconds in the middle
- the server stays down: the run ends in time, and everything arrives when the training is resumed
- silence: heartbeats keep the run alive (violation after 45 seconds)
"""
import os
import signal
import sys
import tempfile
import time

from wandb_trainings import PROJECT, Server, Training

program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(PROJECT, ".build/release/espalier"))
ENDLESS = 1_000_000


def stop(training, process):
    """Ctrl-C; returns how many steps there were, and how long the end took."""
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    code = process.wait()
    assert code == 130, f"the training ended with {code}:\n{open(training.log).read()}"
    return training.rows(), time.monotonic() - begin


def late(folder):
    probe = Server(os.path.join(folder, "probe"))
    probe.stop()
    training = Training(program, folder)
    process = training.start(ENDLESS, probe.environment())
    time.sleep(30)
    server = Server(os.path.join(folder, "server"), "--max-gap", "45", port=probe.port)
    time.sleep(65)
    steps, seconds = stop(training, process)
    run = server.check(steps, exit_code=130)
    server.stop()
    print(f"ok: server down for the first 30 s: {run['history_rows']} rows, end in {seconds:.1f} s")


def outage(folder):
    server = Server(os.path.join(folder, "server"), "--outage", "10:25", "--max-gap", "90")
    training = Training(program, folder)
    process = training.start(ENDLESS, server.environment())
    time.sleep(50)
    steps, seconds = stop(training, process)
    run = server.check(steps, exit_code=130)
    faults = len(server.report()["faults_injected"])
    server.stop()
    assert faults > 0, "no request met the outage"
    print(f"ok: outage of 25 s: {run['history_rows']} rows, {faults} requests refused, end in {seconds:.1f} s")


def down(folder):
    probe = Server(os.path.join(folder, "probe"))
    probe.stop()
    training = Training(program, folder)
    process = training.start(ENDLESS, probe.environment())
    time.sleep(15)
    steps, seconds = stop(training, process)
    assert seconds < 25, f"the end took {seconds:.1f} s"
    assert "not sent yet" in open(training.log).read(), open(training.log).read()
    server = Server(os.path.join(folder, "server"), port=probe.port)
    training.run(steps + 3, server.environment())
    server.check(steps + 3)
    server.stop()
    print(f"ok: server down to the end: end in {seconds:.1f} s, {steps + 3} rows after the training was resumed")


def silence(folder):
    server = Server(os.path.join(folder, "server"), "--max-gap", "45")
    training = Training(program, folder)
    process = training.start(ENDLESS, server.environment())
    training.wait_for_rows(20, process)
    stop(training, process)
    # A step of some minutes.
    long = training.start(training.rows() + 1, server.environment(), "--gradient_accumulation_steps", "60000")
    time.sleep(70)
    assert server.run()["heartbeats"] > 0, "no heartbeat"
    long.send_signal(signal.SIGINT)
    time.sleep(0.5)
    long.send_signal(signal.SIGINT)
    long.wait()
    report = server.report()
    assert not report["rejected"] and not report["violations"], report
    server.stop()
    print(f"ok: {report['runs'][0]['heartbeats']} heartbeats in a silence of 70 s")


for test in (late, outage, down, silence):
    with tempfile.TemporaryDirectory() as folder:
        test(folder)
