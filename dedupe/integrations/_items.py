"""Items of a scraper to articles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dedupe.config import Config
from dedupe.corpus._objects import Keys, digest, read_object
from dedupe.corpus._rows import Run
from dedupe.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dedupe.records import Article

__all__ = ["ItemReader"]

# Attributes of an article, and the setting that names each one's field.
_SETTINGS = {
    "id": "id_field",
    "text": "text_field",
    "source": "source_field",
    "published": "date_field",
    "title": "title_field",
    "url": "url_field",
}


class ItemReader:
    """Articles of items, by the names of their fields.

    The usual names are tried in turn where none is given. Lists, which item loaders make of
    everything, are taken for their first value, and for their lines where they are the text.
    """

    def __init__(self, fields: Mapping[str, str], where: str) -> None:
        """Take the field of each attribute of an article.

        Args:
            fields: attribute to field; id, text, source, url, title, published, language.
            where: what the setting is called, for messages.

        Raises:
            ConfigError: there is no such attribute.
        """
        known = [*_SETTINGS, "language"]
        for attribute, field in fields.items():
            if attribute not in known:
                raise ConfigError(
                    f"{where} has no {attribute!r}; it takes {', '.join(known)}, "
                    "each with the name of an item's field"
                )
            if not isinstance(field, str) or not field:
                raise ConfigError(f"{where}[{attribute!r}] must name a field, not {field!r}")
        named = {_SETTINGS[name]: field for name, field in fields.items() if name in _SETTINGS}
        config = Config().replace(**named)
        self._language = fields.get("language")
        self._keys = Keys(config)
        self._run = Run(config, [], lasting_ids=True)

    def __call__(self, item: Mapping[str, Any]) -> Article:
        """The article that an item holds. Without an id its URL is its id, or a digest of it.

        Raises:
            FieldMissingError: no field holds the text.
            NoTextError: the one that should does not.
        """
        values = {name: value for name, value in item.items() if _is_filled(value)}
        if self._language is not None:
            values["language"] = values.get(self._language)
        fields = self._keys(values)
        for name, value in values.items():
            if isinstance(value, list | tuple):
                values[name] = _joined(value) if name == fields.text else value[0]
        row = read_object(values, fields, self._run, "", ("", 0))
        return (row if row.id else row._replace(id=digest(row))).article()


def _is_filled(value: object) -> bool:
    return value is not None and not (isinstance(value, str | list | tuple) and not value)


def _joined(lines: list[Any] | tuple[Any, ...]) -> Any:
    """Paragraphs as one text; what is not all text stays as it is."""
    if all(isinstance(line, str) for line in lines):
        return "\n\n".join(lines)
    return lines
