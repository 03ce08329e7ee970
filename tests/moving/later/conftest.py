"""The project has tests of its own, which its own runner runs."""

from __future__ import annotations

collect_ignore_glob = ["project_*"]
