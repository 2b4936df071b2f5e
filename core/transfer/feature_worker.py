"""A worker process that adds features: it computes those of the blocks that its parent names.

Started by :mod:`tonesmith.transfer.add_features` as ``python -m tonesmith.transfer.feature_worker``.
"""

from __future__ import annotations

import os
from pathlib import Path

from tonesmith.dataset.opening import open_dataset
from tonesmith.engine.channel import channel_to_parent
from tonesmith.errors import DatasetError, TonesmithError, unforeseen
from tonesmith.host.computing import Computer
from tonesmith.host.registry import Host
from tonesmith.plan.stored import stored_feature
from tonesmith.transfer.add_features import add_block, added_features


def main() -> None:
    """Compute what the parent asks for, until it closes the channel."""
    channel = channel_to_parent()
    try:
        setup, _ = channel.receive()
        path, stored = Path(setup["path"]), [stored_feature(told) for told in setup["features"]]
        dataset = open_dataset(path)
        computer, features = Computer(stored, dataset.plan.audio, Host.load()), added_features(path, stored)
        channel.send({"ready": True})
        while True:
            request, _ = channel.receive()
            try:
                add_block(dataset, features, computer, request["block"])
                damage = ""
            except DatasetError as error:
                damage = str(error)
            channel.send({"block": request["block"], "damage": damage})
    except EOFError:
        pass
    except (TonesmithError, OSError) as error:
        channel.send({"failed": str(error)})
    except Exception as error:  # noqa: BLE001 - the parent decides, and says it
        channel.send({"failed": f"a worker failed: {unforeseen(error)}"})
    finally:
        os._exit(0)


if __name__ == "__main__":
    main()
