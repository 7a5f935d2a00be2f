"""What the trainings of motif-twin and motif-magvit share: options, the clock in minutes of training and the rate that follows it, checkpoints,
averaged weights, and the log."""

import csv
import json
import math
import os
import signal
import time

import torch


def add_options(parser, ema=0.998):
    """The options that every `Run` reads."""
    parser.add_argument("--name", default="v1")
    parser.add_argument("--world", nargs="*", default=["v2"])
    parser.add_argument("--validation", nargs="*", default=["v2-val"], help="rendered clips that are measured and never trained on")
    parser.add_argument("--minutes", type=float, default=120, help="of a core's time in training, all its runs together")
    parser.add_argument("--rate", type=float, default=1e-2, help="Muon's; AdamW's is --adam-rate")
    parser.add_argument("--adam-rate", type=float, default=2e-3)
    parser.add_argument("--warm-up", type=float, default=3, help="minutes")
    parser.add_argument("--fall", type=float, default=0.3, help="share of the time over which the rate falls to nothing")
    parser.add_argument("--ema", type=float, default=ema)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--save-every", type=float, default=4, help="minutes")


class Run:
    """A training that goes on where it was stopped. While `going()`: compute a loss and its parts, then `learn` from them. `mean` becomes the
    averaged weights; `more` are further things with a state, by name."""

    def __init__(self, folder, options, model, mean, optimiser, random, source="state.pt", more=None):
        self.folder, self.options, self.random, self.more = folder, options, random, more or {}
        self.model, self.mean, self.optimiser = model, mean, optimiser
        self.step, self.minutes, self.stopping = 0, 0.0, False
        self.sums, self.counted = {}, 0
        folder.mkdir(parents=True, exist_ok=True)
        mean.load_state_dict(model.state_dict())
        if (folder / source).exists():
            self.load(folder / source)
        self.last_save = self.minutes
        self.log = csv.writer(open(folder / "log.csv", "a", newline=""))
        for event in (signal.SIGTERM, signal.SIGINT):
            signal.signal(event, lambda *_: setattr(self, "stopping", True))

    @property
    def stateful(self):
        return {"model": self.model, "mean": self.mean, "optimiser": self.optimiser, **self.more}

    def load(self, file):
        state = torch.load(file, weights_only=False)
        for name, of in self.stateful.items():
            if state.get(name):
                of.load_state_dict(state[name])
        self.step, self.minutes = state["step"], state["minutes"]
        self.random.bit_generator.state = state["random"]
        torch.set_rng_state(state["torch"])
        print(f"goes on at step {self.step}, minute {self.minutes:.1f}", flush=True)

    def save(self, name="state.pt"):
        state = {name: of.state_dict() for name, of in self.stateful.items()}
        state |= {"step": self.step, "minutes": self.minutes, "options": vars(self.options), "random": self.random.bit_generator.state, "torch": torch.get_rng_state()}
        file = self.folder / name
        torch.save(state, file.with_suffix(".partial"))
        os.replace(file.with_suffix(".partial"), file)

    def going(self):
        self.began = time.process_time()
        return self.minutes < self.options.minutes and not self.stopping

    @property
    def progress(self):
        return self.minutes / self.options.minutes

    def learn(self, loss, parts, measure):
        """One step; now and then a line of the means of `parts` since the last, a checkpoint, and what `measure()` finds."""
        o = self.options
        factor = min(1.0, (self.minutes + 0.05) / o.warm_up) * min(1.0, (1 - self.progress) / o.fall)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        if math.isfinite(norm.item()):
            self.optimiser.step(factor)
        else:
            self.model.zero_grad(set_to_none=True)
            parts["skipped"] = torch.ones(())
        self.step += 1
        with torch.no_grad():
            decay = min(o.ema, (self.step + 1) / (self.step + 10))
            for slow, fast in zip(self.mean.parameters(), self.model.parameters()):
                slow.lerp_(fast, 1 - decay)
        for name, value in parts.items():
            total, n = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + value.item(), n + 1)
        self.counted += 1
        self.minutes += (time.process_time() - self.began) / 60 / self.options.threads
        if self.counted == 100:
            print(f"{self.minutes:7.2f} min, step {self.step}, " + ", ".join(f"{k} {t / n:.4g}" for k, (t, n) in self.sums.items()), flush=True)
            self.sums, self.counted = {}, 0
        if self.minutes - self.last_save > o.save_every:
            self.save()
            self.last_save = self.minutes
            found = measure()
            print(f"{self.minutes:7.2f} min, step {self.step}: {found}", flush=True)
            self.log.writerow([round(self.minutes, 2), self.step, json.dumps(found)])

    def end(self, measure):
        """The last checkpoint -> what `measure()` finds."""
        self.save()
        found = measure()
        print(f"end at {self.minutes:.2f} min, step {self.step}: {found}", flush=True)
        return found

    def about(self, *without):
        """For a card: the options but those that name places, and how long it trained."""
        places = ("name", "world", "validation", "threads", "save_every", *without)
        return {**{k: v for k, v in vars(self.options).items() if k not in places}, "steps": self.step, "minutes": round(self.minutes, 1)}
