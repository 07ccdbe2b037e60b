"""What a shop has its buyers told in its own words."""

from collections.abc import Mapping
from typing import Any

from chalicelib.domain import message_template
from chalicelib.domain.product import raise_problems
from chalicelib.domain.texts import TITLES, TextKey
from chalicelib.errors import Changed
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction
from chalicelib.tables.shop import MessageTemplatesItem


def read(merchant_id: str) -> tuple[Mapping[TextKey, str], int]:
    """(the shop's own templates, their revision; 0 before the first change)."""
    item = get_or_none(MessageTemplatesItem.at(merchant_id))
    return (_texts(item), item.revision) if item is not None else ({}, 0)


def change(
    merchant_id: str, texts: Mapping[TextKey, str], *, revision: int, staff: str, now_s: int
) -> tuple[Mapping[TextKey, str], int]:
    """Have these templates, which were read at `revision`, and the usual sentences for all else.

    An empty one, or the usual one, is none. What was told stays as it was told; a repeat changes
    nothing more. Raises InvalidRequest with all problems, Changed or Busy.
    """
    after = {key: text.strip() for key, text in texts.items()}
    after = {k: text for k, text in after.items() if text not in ("", message_template.original(k))}
    raise_problems(message_template.problems_of(after))

    def step() -> None:
        item = get_or_none(MessageTemplatesItem.at(merchant_id))
        before = _texts(item) if item is not None else {}
        if before == after:
            return
        if (item.revision if item is not None else 0) != revision:
            raise Changed
        kept = {key.value: text for key, text in after.items()}
        with transaction() as writes:
            if item is None:
                writes.put(MessageTemplatesItem.at(merchant_id, texts=kept), refuse=LostRace)
            else:
                writes.update(
                    item,
                    [
                        MessageTemplatesItem.texts.set(kept),
                        MessageTemplatesItem.revision.add(1),
                    ],
                    condition=MessageTemplatesItem.revision == item.revision,
                    refuse=LostRace,
                )
            subject, old, new = f"merchant#{merchant_id}", _titled(before), _titled(after)
            audit(writes, merchant_id, staff, "messages_changed", subject, old, new, now_s)

    retried(step)
    return read(merchant_id)


def _texts(item: MessageTemplatesItem) -> dict[TextKey, str]:
    return {TextKey(key): text for key, text in item.texts.as_dict().items()}


def _titled(texts: Mapping[TextKey, str]) -> dict[str, Any]:
    """As the audit log tells them: by the titles of their messages."""
    return {TITLES[key]: text for key, text in texts.items()}
