"""/v1/merchant/message-templates: what buyers are told in the shop's own words, and what of it goes
to their WeChat."""

from typing import Annotated

from msgspec import Meta

from chalicelib import clock
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.schemas import RequestModel, ResponseModel
from chalicelib.domain import message_template
from chalicelib.domain.rights import Area, act, view
from chalicelib.domain.subscribe_message import (
    FACT_WORDS,
    FACTS,
    KIND_WORDS,
    TYPES,
    Fact,
    SubscribeKind,
    SubscribeTemplate,
    example_of,
)
from chalicelib.domain.texts import TITLES, TextKey
from chalicelib.errors import Changed, InvalidRequest
from chalicelib.services.people import message_templates
from chalicelib.services.people.message_templates import MessageTemplates as Stored
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")

Template = Annotated[
    str,
    Meta(
        max_length=4 * message_template.TEXT_MAX,  # longer ones than may be are told how long
        description="Names of facts in braces. Empty: the usual sentence.",
    ),
]


Typed = Annotated[str, Meta(max_length=64)]


class SubscribeTemplateChange(RequestModel, frozen=True, kw_only=True):
    template_id: Annotated[Typed, Meta(description="Empty, without keywords: none.")]
    keywords: Annotated[
        dict[Fact, Typed],
        Meta(description="The template's keyword for each fact that it takes: thing1."),
    ]


class MessageTemplatesChange(RequestModel, frozen=True, kw_only=True):
    texts: Annotated[
        dict[TextKey, Template], Meta(description="What is left out is told as usual.")
    ]
    subscribe: Annotated[
        dict[SubscribeKind, SubscribeTemplateChange] | None,
        Meta(description="What is left out is not sent to WeChat; null: as it is."),
    ] = None
    revision: Annotated[int, Meta(ge=0, description="As read; 0: never changed.")]


class SubscribeFact(ResponseModel, frozen=True, kw_only=True):
    fact: Fact
    name: str
    types: Annotated[list[str], Meta(description="Of keywords that it fits into: thing.")]
    example: str
    keyword: Annotated[str, Meta(description="Of the shop's template; empty: not in it.")]


class SubscribeTemplateShown(ResponseModel, frozen=True, kw_only=True):
    kind: SubscribeKind
    title: str
    template_id: Annotated[str, Meta(description="Empty: not sent to WeChat.")]
    facts: list[SubscribeFact]


class MessageTemplate(ResponseModel, frozen=True, kw_only=True):
    key: TextKey
    title: str
    when: Annotated[str, Meta(description="What has happened then, for people.")]
    usual: Annotated[str, Meta(description="Told where the shop has no sentence of its own.")]
    text: Annotated[str, Meta(description="The shop's own; empty: none.")]
    names: Annotated[list[str], Meta(description="What it may name, in braces.")]
    needed: Annotated[list[str], Meta(description="What it must name.")]


class MessageTemplates(ResponseModel, frozen=True, kw_only=True):
    items: list[MessageTemplate]
    example: Annotated[dict[str, str], Meta(description="A value for each name, to show it with.")]
    text_max: int
    subscribe: list[SubscribeTemplateShown]
    revision: int


@api.operation("GET", "/message-templates", right=view(Area.MESSAGES))
def read_message_templates(who: Staff) -> MessageTemplates:
    """Every message to buyers: when it is told, as usual and in the shop's own words."""
    return _shown(*message_templates.read(who.merchant_id))


@api.operation(
    "PUT", "/message-templates", right=act(Area.MESSAGES), refusals=[InvalidRequest, Changed]
)
def change_message_templates(who: Staff, body: MessageTemplatesChange) -> MessageTemplates:
    """Have buyers told in other words from now on; in use everywhere within a minute."""
    subscribe = body.subscribe
    changed = message_templates.change(
        who.merchant_id,
        body.texts,
        None
        if subscribe is None
        else {k: SubscribeTemplate(it.template_id, it.keywords) for k, it in subscribe.items()},
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _shown(*changed)


def _shown(stored: Stored, revision: int) -> MessageTemplates:
    return MessageTemplates(
        items=[
            MessageTemplate(
                key=key,
                title=Text(TITLES[key]),
                when=Text(message_template.WHEN[key]),
                usual=message_template.original(key),
                text=stored.texts.get(key, ""),
                names=message_template.allowed(key),
                needed=message_template.needed(key),
            )
            for key in TextKey
        ],
        example=dict(message_template.EXAMPLE),
        text_max=message_template.TEXT_MAX,
        subscribe=[_subscribe(kind, stored.subscribe.get(kind)) for kind in SubscribeKind],
        revision=revision,
    )


def _subscribe(kind: SubscribeKind, stored: SubscribeTemplate | None) -> SubscribeTemplateShown:
    return SubscribeTemplateShown(
        kind=kind,
        title=Text(KIND_WORDS[kind]),
        template_id=stored.template_id if stored else "",
        facts=[
            SubscribeFact(
                fact=fact,
                name=Text(FACT_WORDS[fact]),
                types=list(TYPES[fact]),
                example=example_of(kind, fact),
                keyword=stored.keywords.get(fact, "") if stored else "",
            )
            for fact in FACTS[kind]
        ],
    )
