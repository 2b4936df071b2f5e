"""The documentation: every block of code runs, and nothing that a user can name is left out.

A document is run from top to bottom in a folder of its own. Console blocks are typed at a shell, Python blocks are
executed in one namespace, TOML blocks must load. Before a block, ``<!-- file: NAME -->`` writes it to a file instead,
and ``<!-- run: skip REASON -->`` leaves it out. Datasets are made smaller than the text says.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer
from builders import write_dataset  # noqa: F401 - PLACEHOLDER
