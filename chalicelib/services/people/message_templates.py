"""What a shop has its buyers told in its own words, and in which templates at WeChat."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chalicelib.domain import message_template, subscribe_message
from chalicelib.domain.product import raise_problems
from chalicelib.domain.subscribe_message import KIND_WORDS, SubscribeKind, SubscribeTemplate
from chalicelib.domain.texts import TITLES, TextKey
from chalicelib.errors import Changed
from chalicelib.services.people.audit import audit
from chalicelib.tables.base import LostRace, get_or_none, retried, transaction
from chalicelib.tables.shop import MessageTemplatesItem

SUBSCRIBE = "订阅消息："  # before a template's kind, in the audit log


@dataclass(frozen=True)
class MessageTemplates:
    """The shop's own sentences, and its templates at WeChat."""

    texts: Mapping[TextKey, str] = field(default_factory=dict)
    subscribe: Mapping[SubscribeKind, SubscribeTemplate] = field(default_factory=dict)

    @property
    def titled(self) -> dict[str, Any]:
        """As the audit log tells them: by the titles of their messages."""
        sent = {SUBSCRIBE + KIND_WORDS[kind]: one.words for kind, one in self.subscribe.items()}
        return {TITLES[key]: text for key, text in self.texts.items()} | sent


def read(merchant_id: str) -> tuple[MessageTemplates, int]:
    """(what the shop has set, its revision; 0 before the first change)."""
    item = get_or_none(MessageTemplatesItem.at(merchant_id))
    return (_view(item), item.revision) if item is not None else (MessageTemplates(), 0)


def change(
    merchant_id: str,
    texts: Mapping[TextKey, str],
    subscribe: Mapping[SubscribeKind, SubscribeTemplate] | None = None,
    *,
    revision: int,
    staff: str,
    now_s: int,
) -> tuple[MessageTemplates, int]:
    """Have these templates, which were read at `revision`, and the usual sentences for all else.

    An empty one, or the usual one, is none. subscribe: those at WeChat; None: as they are. What was
    told stays as it was told; a repeat changes nothing more. Raises InvalidRequest with all
    problems, Changed or Busy.
    """
    wanted = _tidied(texts, subscribe or {})
    problems = message_template.problems_of(wanted.texts)
    raise_problems(problems + subscribe_message.problems_of(wanted.subscribe))

    def step() -> None:
        item = get_or_none(MessageTemplatesItem.at(merchant_id))
        before = _view(item) if item is not None else MessageTemplates()
        after = MessageTemplates(
            wanted.texts, before.subscribe if subscribe is None else wanted.subscribe
        )
        if before == after:
            return
        if (item.revision if item is not None else 0) != revision:
            raise Changed
        kept: dict[str, dict[str, Any]] = {
            "texts": {key.value: text for key, text in after.texts.items()},
            "subscribe": {kind.value: one.stored for kind, one in after.subscribe.items()},
        }
        with transaction() as writes:
            if item is None:
                writes.put(MessageTemplatesItem.at(merchant_id, **kept), refuse=LostRace)
            else:
                writes.update(
                    item,
                    [
                        MessageTemplatesItem.texts.set(kept["texts"]),
                        MessageTemplatesItem.subscribe.set(kept["subscribe"]),
                        MessageTemplatesItem.revision.add(1),
                    ],
                    condition=MessageTemplatesItem.revision == item.revision,
                    refuse=LostRace,
                )
            subject, old, new = f"merchant#{merchant_id}", before.titled, after.titled
            audit(writes, merchant_id, staff, "messages_changed", subject, old, new, now_s)

    retried(step)
    return read(merchant_id)


def _tidied(
    texts: Mapping[TextKey, str], subscribe: Mapping[SubscribeKind, SubscribeTemplate]
) -> MessageTemplates:
    own = {key: text.strip() for key, text in texts.items()}
    own = {k: text for k, text in own.items() if text not in ("", message_template.original(k))}
    sent = {kind: subscribe_message.tidied(one) for kind, one in subscribe.items()}
    return MessageTemplates(own, {k: one for k, one in sent.items() if one.words})


def _view(item: MessageTemplatesItem) -> MessageTemplates:
    texts, subscribe = item.texts.as_dict(), item.subscribe.as_dict()
    return MessageTemplates(
        {TextKey(key): text for key, text in texts.items()},
        {SubscribeKind(kind): subscribe_message.template_of(it) for kind, it in subscribe.items()},
    )
