"""Texts for people: written in Chinese, given in another language where the reader asks for it.

The Chinese template is the key of its translation (as in gettext), so that a rule and the words
that say it stand side by side. api/english.json has the English template of each.
"""

from collections.abc import Mapping


class Text(str):
    """A Chinese text that remembers its template and values, so that it can be translated.

    Everywhere but in an answer of the API it is the Chinese string. Values may be Texts themselves;
    a Text of a Text is that one.

        Text("每单最多买 {max} 件。", max=5)
    """

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> "Text":
        if isinstance(template, Text) and not values:
            return template
        text = super().__new__(cls, template.format(**values) if values else template)
        text.template = template
        text.values = values
        return text

    def translated(self, templates: Mapping[str, str]) -> str:
        """The text in the language of `templates`; what they lack stays as it is."""
        template = templates.get(self.template, self.template)
        if not self.values:
            return template
        values = {
            name: value.translated(templates) if isinstance(value, Text) else value
            for name, value in self.values.items()
        }
        return template.format(**values)
