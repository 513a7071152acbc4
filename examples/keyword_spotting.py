"""Hear two words in a sound that comes in pieces; silence is the blank of CTC, any other sound the label "other"."""

import wave
from pathlib import Path

import numpy as np

from unrolled.runtime import Predictor, Spotter
from unrolled.workflow.config import Config
from unrolled.workflow.train import train

RATE, random = 8000, np.random.default_rng(0)
SWEEPS = {"up": (300, 1500), "down": (1500, 300), "other": (700, 700)}  # Hz at the beginning and the end of each word


def sound(words: list[str]) -> np.ndarray:
    parts = [np.zeros(1500)]
    for word in words:
        hertz = np.linspace(*SWEEPS[word], int(random.integers(1600, 2800)))
        parts += [np.sin(2 * np.pi * np.cumsum(hertz) / RATE), np.zeros(int(random.integers(800, 3000)))]
    return random.uniform(0.05, 0.5) * (np.concatenate(parts) + random.normal(0, 0.02, sum(map(len, parts))))


rows = ["path,label"]
for at in range(80):
    words = [str(word) for word in random.choice(list(SWEEPS), random.integers(1, 4))]
    with wave.open(f"{at}.wav", "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes((32767 * sound(words)).astype("<i2").tobytes())
    rows.append(f"{at}.wav,{' '.join(words)}")
Path("list.csv").write_text("\n".join(rows) + "\n")
data = {"path": "list.csv", "options": {"format": "wav", "hop": 0.02}, "split": {"valid": 0, "test": 0.1}}
net = [{"conv": {"channels": 24, "padding": "causal"}}, {"gru": {"size": 24}}]  # each step looks back only
fast = {"epochs": 30, "batch_size": 8, "learning_rate": 0.01, "schedule": "one_cycle"}
model = train(Config.parse({"data": data, "task": {"name": "ctc"}, "net": net, "train": fast}))
ear, samples = Spotter(Predictor(model.bundle), sure=0.5), sound(["up", "other", "down", "up"])
for piece in np.array_split(samples, len(samples) // 400):  # 50 ms each
    for _, second, word, chance in zip(*ear.process(piece).table().columns.values(), strict=True):
        print(f"{second:.2f} s  {word}  {chance:.2f}")
