"""The reference that anyone can check: a new process that knows only the engine.

``python reference.py JOB``: JOB is JSON with preset, sample_rate, bpm, pitch, velocity, hold, tail and out.
Only the lines of the promise are executed before the render; the samples are written as raw float32.
"""

import json
import os
import sys

with open(sys.argv[1]) as file:  # noqa: PTH123 - pathlib would be one more import before the engine
    job = json.load(file)

import vita

s = vita.Synth()
if job["sample_rate"] != 44100:
    s.set_sample_rate(job["sample_rate"])
if job["bpm"] != 120:
    s.set_bpm(job["bpm"])
assert s.load_json(open(job["preset"]).read())  # noqa: PTH123, SIM115
audio = s.render(job["pitch"], job["velocity"] / 127, job["hold"], job["hold"] + job["tail"])

audio.tofile(job["out"])
os._exit(0)  # the library complains about its own tear-down
