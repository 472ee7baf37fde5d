#!/usr/bin/env python3
"""Has TensorBoard's own reader read a run of the logger `tensorboard`, and compares it with `metrics.jsonl`.

    tensorboard_read.py LOGS

LOGS is the logging folder of a run with `--report_to tensorboard,jsonl`. Needs the Python package `tensorboard`.
Exits with 0 if every metric of every step, the validation pictures, the settings and the hyperparameters came back.
"""
import json
import math
import struct
import sys
from pathlib import Path

import tensorboard
from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.util import tensor_util

failures = []


def check(condition, what):
    if not condition:
        failures.append(what)
        print("FAILED:", what)


def expected_rows(logs):
    rows = [json.loads(line) for line in (logs / "metrics.jsonl").read_text().splitlines()]
    scalars, images = {}, {}
    for row in rows:
        if row["type"] == "scalars":
            for name, value in row.items():
                if name not in ("type", "step", "time"):
                    scalars.setdefault(name, []).append((row["step"], float(value)))
        if row["type"] == "images":
            files = [(logs / image["file"]).read_bytes() for image in row["images"]]
            images.setdefault(row["tag"], []).append((row["step"], files))
    config = {k: v for k, v in rows[0]["config"].items() if v is not None}
    return scalars, images, config, rows[-1]


def single(value):
    """The number as TensorBoard keeps it."""
    return struct.unpack("<f", struct.pack("<f", value))[0]


def check_scalars(run, expected, name):
    reader = event_accumulator.EventAccumulator(str(run), size_guidance={event_accumulator.SCALARS: 0})
    reader.Reload()
    tags = reader.Tags()["scalars"]
    check(sorted(tags) == sorted(expected), f"{name}: scalars {tags}")
    count = 0
    for tag, values in expected.items():
        found = [(event.step, event.value) for event in reader.Scalars(tag)]
        want = [(step, single(value)) for step, value in values]
        same = len(found) == len(want) and all(
            a == c and (b == d or (math.isnan(b) and math.isnan(d))) for (a, b), (c, d) in zip(found, want))
        check(same, f"{name}: {tag}: {len(found)} values, expected {len(want)}")
        count += len(found)
    return count


def check_tensors(run, images, config, end):
    reader = plugin_event_accumulator.EventAccumulator(str(run), size_guidance={event_accumulator.TENSORS: 0})
    reader.Reload()
    count = 0
    for tag, sets in images.items():
        metadata = reader.SummaryMetadata(tag)
        check(metadata.plugin_data.plugin_name == "images", f"{tag}: plugin {metadata.plugin_data.plugin_name}")
        found = [(event.step, list(tensor_util.make_ndarray(event.tensor_proto))) for event in reader.Tensors(tag)]
        check([step for step, _ in found] == [step for step, _ in sets], f"{tag}: steps {[s for s, _ in found]}")
        for (step, strings), (_, files) in zip(found, sets):
            check(strings[2:] == files, f"{tag}: the pictures of step {step}")
            count += len(files)
    text = tensor_util.make_ndarray(reader.Tensors("config/text_summary")[0].tensor_proto)[0].decode()
    for name in config:
        check(f"| {name} |" in text, f"the table of settings: {name}")
    start = plugin_data_pb2.HParamsPluginData.FromString(
        reader.SummaryMetadata("_hparams_/session_start_info").plugin_data.content)
    found = {name: value for name, value in start.session_start_info.hparams.items()}
    check(set(found) == set(config), f"hyperparameters {sorted(found)}")
    for name, value in config.items():
        kind = found[name].WhichOneof("kind")
        check(
            getattr(found[name], kind) == (json.dumps(value) if isinstance(value, list) else value),
            f"hyperparameter {name}: {found[name]}")
    has_end = "_hparams_/session_end_info" in reader.Tags()["tensors"] or any(
        tag == "_hparams_/session_end_info" for tag in reader.PluginTagToContent("hparams"))
    check(has_end == (end["type"] == "end" and end["exit_code"] == 0), "how the run ended")
    return count, len(found)


def main():
    logs = Path(sys.argv[1])
    runs = [folder for folder in logs.iterdir() if any(folder.glob("events.out.tfevents.*"))]
    check(len(runs) == 1, f"runs in {logs}: {runs}")
    scalars, images, config, end = expected_rows(logs)
    files = len(list(runs[0].glob("events.out.tfevents.*")))
    values = check_scalars(runs[0], scalars, runs[0].name)
    pictures, hyperparameters = check_tensors(runs[0], images, config, end)
    print(
        f"tensorboard {tensorboard.version.VERSION}: {files} event files, {len(scalars)} metrics, {values} values, "
        f"{pictures} pictures, {hyperparameters} hyperparameters:", "failed" if failures else "as written")
    sys.exit(1 if failures else 0)


main()
