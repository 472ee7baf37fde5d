"""Small trainings with the logger `wandb`, and a strict stand-in for a server, for the scripts beside this file."""
import csv
import importlib.util
import json
import os
import re
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
PROJECT = os.path.dirname(os.path.dirname(HERE))
MOCK = os.path.join(PROJECT, "Tests/WandbServer/mock_server.py")
KEY = "k0123456789abcdefghijklmnopqrstuvwxyzABCD"

spec = importlib.util.spec_from_file_location("mock_server", MOCK)
mock_server = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mock_server)


class Server:
    """Tests/WandbServer/mock_server.py in a process of its own."""

    def __init__(self, root, *flags, port=0):
        self.root = root
        os.makedirs(root, exist_ok=True)
        port_file = os.path.join(root, "port")
        if os.path.exists(port_file):
            os.remove(port_file)
        self.process = subprocess.Popen(
            [sys.executable, MOCK, "--root", root, "--port", str(port), "--port-file", port_file, *flags],
            stderr=subprocess.DEVNULL)
        while not os.path.exists(port_file):
            time.sleep(0.05)
        self.port = int(open(port_file).read())
        self.url = f"http://127.0.0.1:{self.port}"

    def environment(self):
        names = {k: v for k, v in os.environ.items() if not k.startswith("WANDB_")}
        return {**names, "WANDB_BASE_URL": self.url, "WANDB_API_KEY": KEY}

    def report(self):
        with urllib.request.urlopen(self.url + "/__mock__/report") as answer:
            return json.load(answer)

    def run(self):
        """The only run."""
        runs = self.report()["runs"]
        assert len(runs) == 1, f"{len(runs)} runs"
        return runs[0]

    def text(self, name):
        run = self.run()
        return open(os.path.join(self.root, "runs", run["entity"], run["project"], run["name"], name)).read()

    def steps(self):
        return [int(re.search(r'"_step": ?(\d+)', line).group(1)) for line in self.text("history.jsonl").splitlines()]

    def check(self, steps, exit_code=0):
        """Nothing was refused or wrong, each step is there once, and every image with its bytes."""
        report = self.report()
        for grade in ("rejected", "violations"):
            assert not report[grade], report[grade]
        run = self.run()
        assert self.steps() == list(range(1, steps + 1)), f"steps {self.steps()[:3]} … {self.steps()[-3:]} of {steps}"
        assert run["exitcode"] == exit_code, f"exit code {run['exitcode']}"
        missing = set(run["media_referenced"]) - set(run["uploaded"])
        assert not missing, f"missing images: {missing}"
        return run

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Training:
    """`espalier train` on the tiny model, in a folder of its own."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        data = os.path.join(folder, "data")
        os.makedirs(data)
        with open(os.path.join(data, "metadata.jsonl"), "w") as rows:
            for index in range(4):
                for name in (f"{index}.png", f"c{index}.png"):
                    with open(os.path.join(data, name), "wb") as image:
                        image.write(mock_server.tiny_png(128, 128))
                row = {"file_name": f"{index}.png", "conditioning_image_file_name": f"c{index}.png", "text": "a bar"}
                rows.write(json.dumps(row) + "\n")

    def start(self, steps, environment, *more):
        command = [
            self.program, "train", "--pretrained_model_name_or_path",
            os.path.join(PROJECT, "Tests/Fixtures/tiny-sdxl"), "--train_data_dir", os.path.join(self.folder, "data"),
            "--output_dir", os.path.join(self.folder, "out"), "--resolution", "64", "--train_batch_size", "2",
            "--max_train_steps", str(steps), "--seed", "3", "--lr_scheduler", "constant", "--backend", "blas",
            "--cache_dir", os.path.join(self.folder, "cache"), "--report_to", "csv,wandb",
            "--resume_from_checkpoint", "latest", *more]
        self.log = os.path.join(self.folder, "log")
        with open(self.log, "w") as log:
            return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=log)

    def run(self, steps, environment, *more, code=0):
        found = self.start(steps, environment, *more).wait()
        assert found == code, f"the training ended with {found}:\n{open(self.log).read()}"

    @property
    def images(self):
        """Flags for two validation images every third step."""
        return ["--validation_prompt", "a bar", "--validation_image", os.path.join(self.folder, "data/c1.png"),
                "--num_validation_images", "2", "--validation_steps", "3"]

    def rows(self):
        """Rows of metrics.csv: what the training has logged."""
        path = os.path.join(self.folder, "out/logs/metrics.csv")
        if not os.path.exists(path):
            return 0
        with open(path) as file:
            return sum(1 for _ in csv.reader(file)) - 1

    def wait_for_rows(self, count, process):
        while self.rows() < count:
            assert process.poll() is None, open(self.log).read()
            time.sleep(0.01)

    def offline_folders(self):
        wandb = os.path.join(self.folder, "out/logs/wandb")
        return sorted(os.path.join(wandb, name) for name in os.listdir(wandb) if name.startswith("offline-run-"))
