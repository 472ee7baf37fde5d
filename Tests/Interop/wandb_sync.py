#!/usr/bin/env python3
"""Whether the official client reads what the logger `wandb` writes. Needs the package wandb.

    PYTHON Tests/Interop/wandb_sync.py [.build/release/espalier]

- `wandb sync` uploads an offline run that was killed and resumed
- a synced run goes on, offline and online, without doubles
- `wandb.init(resume="must")` goes on with a run that the logger began
"""
import os
import signal
import subprocess
import sys
import tempfile

import wandb

from wandb_trainings import PROJECT, Server, Training

program = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(PROJECT, ".build/release/espalier"))


def sync(folder, server):
    environment = {**server.environment(), "WANDB_ERROR_REPORTING": "false"}
    done = subprocess.run(
        [sys.executable, "-m", "wandb", "sync", folder], env=environment, cwd=os.path.dirname(folder),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def synced(folder):
    server = Server(os.path.join(folder, "server"))
    training = Training(program, folder)
    offline = {**server.environment(), "WANDB_MODE": "offline", "WANDB_TAGS": "a,b", "WANDB_NAME": "a name"}
    killed = training.start(100_000, offline, "--checkpointing_steps", "2", *training.images)
    training.wait_for_rows(5, killed)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    first = training.rows() + 4
    training.run(first, offline, *training.images)
    [part] = training.offline_folders()
    sync(part, server)
    run = server.check(first)
    assert run["tags"] == ["a", "b"] and run["displayName"] == "a name", run
    assert len(run["media_referenced"]) == 2 * (first // 3), run["media_referenced"]
    assert run["console_lines"] > 0 and '"learning_rate"' in server.text("config.json")
    print(f"ok: `wandb sync` of an offline run that was killed and resumed: {first} rows, "
          f"{len(run['media_referenced'])} images")
    second = first + 5
    training.run(second, offline, *training.images)
    [_, part] = training.offline_folders()
    sync(part, server)
    server.check(second)
    print(f"ok: `wandb sync` of the part after it, {second} rows in all")
    training.run(second + 3, server.environment(), *training.images)
    server.check(second + 3)
    print(f"ok: online after that, {second + 3} rows in all")
    server.stop()


def resumed(folder):
    server = Server(os.path.join(folder, "server"))
    training = Training(program, folder)
    training.run(6, server.environment())
    name = server.check(6)["name"]
    script = (
        "import wandb\n"
        f"run = wandb.init(id={name!r}, project='sd_xl_train_t2iadapter', resume='must', "
        "settings=wandb.Settings(x_disable_stats=True))\n"
        "assert run.starting_step == 7, run.starting_step\n"
        "assert run.config['seed'] == '3', dict(run.config)\n"
        "run.log({'fid': 1.5})\n"
        "run.finish()\n")
    done = subprocess.run(
        [sys.executable, "-c", script], env={**server.environment(), "WANDB_ERROR_REPORTING": "false"}, cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    server.check(7)
    print("ok: the official client resumes a run that the logger began, with its step and config")
    server.stop()


print(f"wandb {wandb.__version__}, Python {sys.version.split()[0]}")
for test in (synced, resumed):
    with tempfile.TemporaryDirectory() as folder:
        test(folder)
