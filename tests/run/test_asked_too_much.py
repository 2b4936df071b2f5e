"""What a sampler cannot do is told before anything is made, with the flag that helps."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tonesmith.errors import ConfigError
from tonesmith.host.registry import Host
from tonesmith.plan.plan import PluginRef
from tonesmith.run.resolve import _check_limit, _checked
from tonesmith.testing.synthetic import synthetic_plan


def test_too_many_patches_for_the_presets_names_both_ways_out():
    plan = synthetic_plan()
    sampler = Host.load().find("sampler", "presets")

    class Two(sampler):
        def __init__(self):
            pass

        def limit(self):
            return 2

    with pytest.raises(ConfigError) as told:
        _check_limit(plan, Two())
    assert str(told.value).endswith(
        f"2 patches here, and {plan.patches} are asked for. Ask for 2 or fewer with -n, or add --sampler.repeat."
    )


def test_a_mix_without_presets_is_not_named_as_one_that_uses_them():
    plan = replace(synthetic_plan(), sampler=PluginRef("mix", {"parts": ["lhs"]}))
    object.__setattr__(plan, "presets", (object(),))
    with pytest.raises(
        ConfigError, match=r"'mix' does not use presets with these options\. .*: breed, perturb, presets\.$"
    ):
        _checked(plan, Host.load(), {})
