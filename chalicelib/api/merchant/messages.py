"""/v1/merchant/message-templates: what buyers are told, in the shop's own words."""

from collections.abc import Mapping
from typing import Annotated

from msgspec import Meta

from chalicelib import clock
from chalicelib.api.auth import Staff
from chalicelib.api.http import Api
from chalicelib.api.schemas import RequestModel, ResponseModel
from chalicelib.domain import message_template
from chalicelib.domain.rights import Area, act, view
from chalicelib.domain.texts import TITLES, TextKey
from chalicelib.errors import Changed, InvalidRequest
from chalicelib.services.people import message_templates
from chalicelib.text import Text

api = Api(__name__, prefix="/v1/merchant")

Template = Annotated[
    str,
    Meta(
        max_length=4 * message_template.TEXT_MAX,  # longer ones than may be are told how long
        description="Names of facts in braces. Empty: the usual sentence.",
    ),
]


class MessageTemplatesChange(RequestModel, frozen=True, kw_only=True):
    texts: Annotated[
        dict[TextKey, Template], Meta(description="What is left out is told as usual.")
    ]
    revision: Annotated[int, Meta(ge=0, description="As read; 0: never changed.")]


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
    changed = message_templates.change(
        who.merchant_id,
        body.texts,
        revision=body.revision,
        staff=who.username,
        now_s=clock.now_s(),
    )
    return _shown(*changed)


def _shown(texts: Mapping[TextKey, str], revision: int) -> MessageTemplates:
    return MessageTemplates(
        items=[
            MessageTemplate(
                key=key,
                title=Text(TITLES[key]),
                when=Text(message_template.WHEN[key]),
                usual=message_template.original(key),
                text=texts.get(key, ""),
                names=message_template.allowed(key),
                needed=message_template.needed(key),
            )
            for key in TextKey
        ],
        example=dict(message_template.EXAMPLE),
        text_max=message_template.TEXT_MAX,
        revision=revision,
    )
