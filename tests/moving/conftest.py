"""The projects of other releases have tests of their own, which their own runner runs."""

from __future__ import annotations

collect_ignore_glob = ["project_*"]
