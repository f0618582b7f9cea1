#!/usr/bin/env python3
"""Runs examples/frame for a few frames, without a display and in a virtual one, and looks at the files it writes.

  check_frame.py ASSETS PROGRAM [XVFB]

No time is judged: only that all frames came, that the pictures were loaded, and that what was drawn and plotted is
there.
"""
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

FRAMES = 20
SVG = "{http://www.w3.org/2000/svg}"


def faults_of_screenshot(data):
    if data[:2] != b"BM":
        return ["the screenshot is no bitmap"]
    start, = struct.unpack_from("<I", data, 10)
    width, height = struct.unpack_from("<ii", data, 18)
    bits, = struct.unpack_from("<H", data, 28)
    if (width, abs(height), bits) != (960, 540, 32):
        return [f"the screenshot has {width} x {height} pixels of {bits} bits"]
    colours = {data[i:i + 3] for i in range(start, len(data), 4)}
    # Background, eight colours of particles, and the sprite's rim: blue, green, red.
    missing = [c for c in [(24, 10, 8), (60, 90, 255), (220, 120, 230), (255, 255, 255)] if bytes(c) not in colours]
    return [f"the screenshot has none of the colour {c}" for c in missing]


def faults_of_plot(text):
    lines = xml.fromstring(text).findall(SVG + "polyline")
    points = [len(line.get("points").split()) for line in lines]
    return [] if points == [FRAMES - 1] * 3 else [f"the plot's lines have {points} points"]


def faults(assets, program, environment):
    with tempfile.TemporaryDirectory() as folder:
        shot, plot = pathlib.Path(folder, "shot.bmp"), pathlib.Path(folder, "plot.svg")
        done = subprocess.run(
            [program, "--frames", str(FRAMES), "--assets", assets, "--screenshot", shot, "--plot", plot],
            env={**os.environ, "SDL_RENDER_DRIVER": "software", **environment}, capture_output=True, text=True)
        expected = rf"{FRAMES} frames, 2 of 2 pictures loaded\n(\w+ +p50 +[\d.]+ ms, p99 +[\d.]+ ms\n){{3}}"
        if done.returncode != 0 or not re.fullmatch(expected, done.stdout):
            return [f"exit status {done.returncode}", done.stdout, done.stderr]
        return faults_of_screenshot(shot.read_bytes()) + faults_of_plot(plot.read_text())


def in_virtual_display(assets, program, xvfb):
    """The server chooses a free display and says which."""
    reader, writer = os.pipe()
    server = subprocess.Popen([xvfb, "-displayfd", str(writer), "-screen", "0", "1024x768x24", "-nolisten", "tcp"],
                              pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as said:
            number = said.readline().strip()
        if not number:
            return ["Xvfb did not start"]
        return faults(assets, program, {"SDL_VIDEODRIVER": "x11", "DISPLAY": ":" + number})
    finally:
        server.terminate()
        server.wait()


def main():
    assets, program, *xvfb = sys.argv[1:]
    found = [f"dummy: {f}" for f in faults(assets, program, {"SDL_VIDEODRIVER": "dummy"})]
    if xvfb:
        found += [f"Xvfb: {f}" for f in in_virtual_display(assets, program, xvfb[0])]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
