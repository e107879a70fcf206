#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recordings to teach with, and a scene to be examined with: make_lesson.py DATA OUT

DATA has the sets esc50 and urbansound8k with manifests. Three classes of ESC-50 that AudioSet does not know are taught, with
five clips each of folds 1 to 3, which lie among clips of other classes in three recordings with label tracks
(OUT/lesson1.wav and so on); three more hold an hour of background. The scene, OUT/exam.wav, has eight clips of each of fold 4 among
more than an hour and a half of sounds of other recordings than those; OUT/exam.txt says where. Labels are where a clip is
louder than 30 dB below its loudest tenth of a second. Needs numpy and ffmpeg."""

import csv
import os
import subprocess
import sys
import wave

import numpy

TAUGHT = ["can_opening", "door_wood_creaks", "washing_machine"]
RATE = 16000


def rows_of(data, name):
    with open(os.path.join(data, name, "manifest.csv"), newline="") as table:
        rows = list(csv.DictReader(table))
    for row in rows:
        row["path"] = os.path.join(data, name, row["path"])
        row["set"] = name
    return rows


def sound_of(path):
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-f", "s16le", "-ar", str(RATE), "-ac", "1", "-"]
    return numpy.frombuffer(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout, numpy.int16)


def audible(sound):
    """Where it is heard, in seconds."""
    tenth = RATE // 10
    n = len(sound) // tenth
    power = (sound[: n * tenth].astype(float).reshape(n, tenth) ** 2).mean(1) + 1e-9
    loud = numpy.nonzero(power > power.max() * 1e-3)[0]
    return loud[0] / 10, (loud[-1] + 1) / 10


def write(out, name, rows):
    sounds, labels, at = [], [], 0.0
    for row in rows:
        sound = sound_of(row["path"])
        if row["labels"] in TAUGHT:
            start, end = audible(sound)
            labels.append((at + start, at + end, row["labels"]))
        sounds.append(sound)
        at += len(sound) / RATE
    with wave.open(os.path.join(out, name + ".wav"), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(numpy.concatenate(sounds).tobytes())
    if labels:
        with open(os.path.join(out, name + ".txt"), "w") as track:
            for start, end, label in labels:
                track.write(f"{start:.6f}\t{end:.6f}\t{label}\n")
    print(f"{name}: {at / 60:.1f} minutes, {len(labels)} labels")


def among(taught, others, random):
    """Both in one order, chosen at random, none of the taught side by side."""
    rows = list(others)
    for row, place in zip(taught, numpy.linspace(3, len(rows) - 3, len(taught)).astype(int)[::-1]):
        rows.insert(place, row)
    return rows


def main():
    data, out = sys.argv[1:3]
    os.makedirs(out, exist_ok=True)
    random = numpy.random.default_rng(1)
    esc50 = rows_of(data, "esc50")
    random.shuffle(esc50)
    lesson, groups = [], set()
    for label in TAUGHT:
        chosen = []
        for row in esc50:
            if row["labels"] == label and row["fold"] in "123" and row["group"] not in groups and len(chosen) < 5:
                chosen.append(row)
                groups.add(row["group"])
        lesson.append(chosen)
    others = [r for r in esc50 if r["fold"] in "123" and r["labels"] not in TAUGHT]
    per_lesson = 70
    for i in range(3):
        taught = [row for chosen in lesson for row in chosen[i::3]]
        some = others[i * per_lesson : (i + 1) * per_lesson]
        write(out, f"lesson{i + 1}", among(taught, some, random))
    background = others[3 * per_lesson : 3 * per_lesson + 720]
    for i in range(3):
        write(out, f"lesson{i + 4}", background[i * 240 : (i + 1) * 240])
    heard = groups | {r["group"] for r in others[: 3 * per_lesson] + background}
    examined, used = [], set(heard)
    for label in TAUGHT:
        count = 0
        for row in esc50:
            if row["labels"] == label and row["fold"] == "4" and row["group"] not in used and count < 8:
                examined.append(row)
                used.add(row["group"])
                count += 1
    random.shuffle(examined)
    unheard = [r for r in esc50 if r["fold"] == "4" and r["labels"] not in TAUGHT and r["group"] not in heard]
    city = rows_of(data, "urbansound8k")
    random.shuffle(city)
    unheard += [r for r in city if r["group"].replace("fs", "") not in {g.split("-")[0] for g in heard}][:1100]
    random.shuffle(unheard)
    write(out, "exam", among(examined, unheard, random))


main()
