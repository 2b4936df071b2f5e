"""What plugins keep between runs, in the user's cache."""

from __future__ import annotations

from tonesmith.kept import CACHE_VARIABLE, cache_folder, keep

__all__ = ["CACHE_VARIABLE", "cache_folder", "keep"]
