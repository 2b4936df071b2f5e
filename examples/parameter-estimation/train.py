"""Learn to hear the settings of a synth: render sounds, train a network on them, and hear what it predicts."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from estimator import Epoch
    from results import Result

    from tonesmith import Dataset

HERE = Path(__file__).parent
SMALL = {"config": HERE / "subtractive.toml", "width": 16, "epochs": 6, "batch": 32}
LARGE = {"config": HERE / "vital.toml", "width": 48, "epochs": 30, "batch": 128}


def options_of(arguments: list[str] | None) -> argparse.Namespace:
    """Return what was asked for at the terminal. What is wrong there ends the program with status 2."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("out", nargs="?", type=Path, metavar="OUT", help="folder of all that is made [default: data/NAME of the plan]")
    plan = parser.add_mutually_exclusive_group()
    plan.add_argument(
        "--config", type=Path, metavar="FILE", help="plan of the sounds [default: subtractive.toml, for a CPU]"
    )
    plan.add_argument("--vital", action="store_true", help="vital.toml and a larger network, for a GPU")
    add("--patches", type=whole, metavar="N", help="patches to render [default: those of the plan]")
    add("--epochs", type=whole, metavar="N", help="passes over the training rows [default: 6; Vital: 30]")
    add("--width", type=whole, metavar="N", help="channels of the first convolution [default: 16; Vital: 48]")
    add("--batch", type=whole, metavar="N", help="rows of a step [default: 32; Vital: 128]")
    add("--rate", type=positive, default=3e-3, metavar="X", help="highest learning rate [default: 0.003]")
    add("--seed", type=int, default=0, metavar="N", help="of the weights and the order of rows [default: 0]")
    add("--device", metavar="NAME", help="cpu, cuda or mps [default: a GPU if there is one]")
    add("--workers", type=int, default=0, metavar="N", help="processes that render; 0 for one per core [default: 0]")
    add("--threads", type=whole, default=1, metavar="N", help="of the CPU; 1 learns the same on any [default: 1]")
    options = parser.parse_args(arguments)
    for name, value in (LARGE if options.vital else SMALL).items():
        if getattr(options, name) is None:
            setattr(options, name, value)
    options.out = options.out or Path("data") / options.config.stem
    return options


def whole(text: str) -> int:
    """Return a number of things, which is 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up, not {text!r}")
    return int(text)


def positive(text: str) -> float:
    """Return a number above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, not {text!r}")
    return number


def check(options: argparse.Namespace) -> None:
    """Choose the device, and raise ConfigError for what would fail only once the sounds are made."""
    from tonesmith import ConfigError, load_config

    if importlib.util.find_spec("torch") is None:
        raise ConfigError("torch is missing: pip install 'tonesmith[torch]'")
    if "mel" not in [feature.name for feature in load_config(options.config).features]:
        raise ConfigError(f"{options.config} has no [features.mel], which is what the network hears. Add that table.")
    options.device = device_of(options.device)
    if options.out.exists() and not options.out.is_dir():
        raise ConfigError(f"{options.out} exists and is not a folder. Name another one as OUT.")


def device_of(name: str | None) -> str:
    """Return the device of a name, or the best one there is. Raises ConfigError for one that cannot be used."""
    import torch

    from tonesmith import ConfigError

    if name is None:
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"--device {name}: {str(error).splitlines()[0]}") from None
    return name


def train(options: argparse.Namespace) -> None:
    """Go the whole way: sounds, network, predictions, score, files."""
    import torch
    from commands import export, make_data, score
    from estimator import Estimator, Learning, learn, predict
    from results import result_of, save_predictions

    from tonesmith import open_dataset

    out, began = options.out, time.monotonic()
    data, predictions, scored = out / "data.zarr", out / "predictions.npz", out / "predictions.scored.zarr"
    out.mkdir(parents=True, exist_ok=True)
    make_data(data, options.config, options.patches, options.workers)
    dataset = open_dataset(data)
    check_splits(dataset)

    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    space, shape = dataset.space, dataset.features["mel"].arrays[0].shape
    model = Estimator(shape, len(space.continuous), space.counts.tolist(), options.width).to(options.device)
    weights = sum(parameter.numel() for parameter in model.parameters())
    print(f"training {weights:,} weights on {len(dataset.splits['train']):,} rows, device {options.device}", flush=True)
    learning = Learning(options.epochs, options.batch, options.rate, options.seed)
    history = learn(model, dataset, learning, options.device, show)
    model.save(out / "weights.npz")

    val = result_of(dataset, *predict(model, dataset, "val", options.device))
    told, truth = predict(model, dataset, "test", options.device)
    test = result_of(dataset, told, truth)
    print(f"\nheld out, {len(truth['row']):,} rows that the network has never heard:", *test.lines(), "", sep="\n")
    save_predictions(predictions, told, truth)
    picture(out / "curve.png", history, val, test)
    score(data, predictions, scored, options.workers)
    export(data, scored, out / "sounds")
    report = {"path": str(data), "digest": dataset.digest, "weights": weights, "device": options.device}
    report |= {"learning": asdict(learning), "epochs": [asdict(epoch) for epoch in history]}
    report |= {"val": val.to_json(), "test": test.to_json(), "seconds": time.monotonic() - began}
    (out / "results.json").write_text(json.dumps(report, indent=2) + "\n")
    print(f"\nall of it is in {out}: weights.npz, curve.png, results.json, the sounds in sounds/")


def check_splits(dataset: Dataset) -> None:
    """Raise ConfigError if there is nothing to learn from, to choose by, or to judge on."""
    from tonesmith import ConfigError

    empty = [name for name in ("train", "val", "test") if not len(dataset.splits.get(name, ()))]
    if empty:
        raise ConfigError(f"too few patches: no row is in the split {empty[0]}. Ask for more with --patches.")


def show(epoch: Epoch) -> None:
    """Print what an epoch came to."""
    errors = f"MSE {epoch.train:.4f} training, {epoch.val:.4f} validation"
    print(f"epoch {epoch.number}: {errors}, {epoch.seconds:.0f} s", flush=True)


def picture(path: Path, history: list[Epoch], val: Result, test: Result) -> None:
    """Draw the learning curve, or say what is missing for that."""
    from results import draw

    try:
        draw(path, history, val, test)
    except ImportError:
        print(f"{path} is left out, since matplotlib is missing: pip install 'tonesmith[plot]'")


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status: 2 for what was asked for wrongly, 1 for what failed, 130 if it was interrupted."""
    from commands import CommandFailedError

    from tonesmith import TonesmithError

    options = options_of(arguments)
    try:
        check(options)
        train(options)
    except CommandFailedError as error:
        return error.status
    except TonesmithError as error:
        print(f"train.py: error: {error}", file=sys.stderr)
        return error.exit_code
    except OSError as error:
        print(f"train.py: error: {error.filename or options.out}: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("train.py: interrupted. The sounds are kept: the same command trains again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
