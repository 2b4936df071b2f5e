"""Addresses in buckets as paths: what they say, what they survive, and what is refused."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from tonesmith.buckets.address import BucketPath, afresh, is_remote, place_of
from tonesmith.errors import ConfigError


@pytest.mark.parametrize("spelled", ["s3://bucket/a/d.zarr", "s3:/bucket/a/d.zarr", Path("s3://bucket/a/d.zarr")])
def test_an_address_is_the_same_however_it_is_spelled(spelled):
    place = place_of(spelled)

    assert isinstance(place, BucketPath)
    assert str(place) == f"{place}" == place.__fspath__() == "s3://bucket/a/d.zarr"
    assert (place.bucket, place.key, place.name, place.stem) == ("bucket", "a/d.zarr", "d.zarr", "d")
    assert str(place.parent / "e") == "s3://bucket/a/e"
    assert place_of(place) is place
    assert str(place_of(Path(place))) == str(place)
    assert place.resolve() == place.absolute() == place


def test_a_stamp_tells_states_of_the_content_apart_and_is_not_shown():
    place = place_of("s3://bucket/d")
    first, second = place.stamped("one"), place.stamped("two")

    assert place.stamp == ""
    assert len({first.stamp, second.stamp, first.stamped("two").stamp, ""}) == 4
    assert str(first / "x") == "s3://bucket/d/x"
    assert (first / "x").stamp == first.stamp
    assert place_of(first.spelled).stamp == first.stamp
    assert pickle.loads(pickle.dumps(first)).stamp == first.stamp  # noqa: S301
    assert afresh(place).stamp != afresh(place).stamp


def test_a_path_on_a_disk_stays_what_it_is():
    for text in ("d.zarr", "/a/s3:/b", "./s3:/b/c", "s3", "C:/x"):
        assert not is_remote(place_of(text))
        assert place_of(text) == Path(text)
    assert afresh(Path("d")) == Path("d")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("s3://", "names no place in a bucket"),
        ("s3:///d.zarr", "names no place in a bucket"),
        ("s3://bucket", "Write s3://BUCKET/NAME"),
        ("s3://bucket/", "Write s3://BUCKET/NAME"),
        ("gs://b$d/x", "names no place in a bucket"),
        ("s3://bucket/a/../b", "has no . or .."),
        ("az://bucket/a*b", "a name in a bucket"),
        ("s3://bucket/a?X-Amz-Signature=feed", "ends before ?"),
        ("s3://key:feed@bucket/d", "must not have credentials"),
        ("http://host/d.zarr", "Use s3://"),
        ("gcs://bucket/d", "Use s3://"),
    ],
)
def test_an_address_that_names_no_dataset_is_refused_in_one_sentence_without_its_secret(address, told):
    with pytest.raises(ConfigError) as caught:
        place_of(address)

    assert told in str(caught.value)
    assert "feed" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_client_of_buckets_is_loaded_for_buckets_alone(tmp_path):
    script = (
        "import sys; from tonesmith import open_dataset\n"
        f"try: open_dataset({str(tmp_path)!r})\n"
        "except Exception as error: assert 'empty folder' in str(error), error\n"
        "assert not {'obstore', 'boto3', 'concurrent.futures.thread'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)
