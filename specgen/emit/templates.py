"""The Jinja2 templates: text around what the emitter made, no decisions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import jinja2

from specgen.emit.lock import digest


@dataclass(frozen=True)
class Templates:
    """The template files, by name."""

    texts: dict[str, str]

    @cached_property
    def _environment(self) -> jinja2.Environment:
        return jinja2.Environment(
            loader=jinja2.DictLoader(self.texts),
            autoescape=False,  # nosec: Python and Markdown, whose values come from emitters of their own
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def render(self, template: str, **values: object) -> str:
        """The template filled in; a value that it names and that is not given is an error."""
        return self._environment.get_template(template).render(**values)

    def digests(self) -> dict[str, str]:
        """SHA-256 of each template."""
        return {name: digest(text) for name, text in sorted(self.texts.items())}


def read_templates(folder: Path) -> Templates:
    """All templates of a folder."""
    return Templates({path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.j2"))})
