"""A worker process that adds features: it computes those of the blocks that its parent names.

Started by :mod:`tonesmith.transfer.add_features` as ``python -m tonesmith.transfer.feature_worker``.
"""

from __future__ import annotations

from pathlib import Path

from tonesmith.dataset.opening import open_dataset
from tonesmith.engine.answering import answer_blocks, answering
from tonesmith.errors import DatasetError
from tonesmith.host.computing import Computer
from tonesmith.host.registry import Host
from tonesmith.plan.stored import stored_feature
from tonesmith.transfer.add_features import add_block, added_features


def main() -> None:
    """Compute what the parent asks for, until it closes the channel."""
    with answering() as channel:
        setup, _ = channel.receive()
        path, stored = Path(setup["path"]), [stored_feature(told) for told in setup["features"]]
        dataset = open_dataset(path)
        computer, features = Computer(stored, dataset.plan.audio, Host.load()), added_features(path, stored)

        def computed(block: int, _: int) -> str:
            try:
                add_block(dataset, features, computer, block)
            except DatasetError as error:
                return str(error)
            return ""

        answer_blocks(channel, computed)


if __name__ == "__main__":
    main()
