import os
import subprocess
import sys

from streamer.bench.machine import LoadMeter

BUSY = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"


def test_meter_counts_a_process_to_its_name():
    with subprocess.Popen([sys.executable, "-c", BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        meter = LoadMeter({}, alone={"busy": (process.pid, "children")})
        process.stdout.readline()
        load = meter.read()
        process.communicate(b"\n")

    used_s = load.cpu_percent["busy"] * load.seconds / 100
    assert used_s > 0.1
    assert load.cpu_percent["children"] == 0


def test_meter_counts_ended_children_to_their_tree():
    meter = LoadMeter({"this": os.getpid()})

    subprocess.run([sys.executable, "-c", BUSY], input=b"\n", stdout=subprocess.PIPE, check=True)

    load = meter.read()
    assert load.cpu_percent["this"] * load.seconds / 100 > 0.25
