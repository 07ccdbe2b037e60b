"""The template by topic: what its files may say, and what is refused when they are merged."""

from pathlib import Path

import pytest

from infra.merge_template import TemplateRefused, merged

QUEUE = "Resources:\n  Queue:\n    Type: AWS::SQS::Queue\n"


def test_files_give_their_entries_to_the_same_sections(tmp_path: Path) -> None:
    (tmp_path / "queues.yaml").write_text(QUEUE + "Outputs:\n  Name:\n    Value: !Ref Queue\n")
    (tmp_path / "topics.yaml").write_text("Resources:\n  Topic:\n    Type: AWS::SNS::Topic\n")

    assert merged(tmp_path) == {
        "Resources": {"Queue": {"Type": "AWS::SQS::Queue"}, "Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"Name": {"Value": {"Ref": "Queue"}}},
    }


def test_short_forms_are_read_as_cloudformation_does(tmp_path: Path) -> None:
    (tmp_path / "outputs.yaml").write_text(
        "Outputs:\n"
        "  Arn: {Value: !GetAtt Queue.Arn}\n"
        "  Site: {Value: !If [Own, !Sub 'https://${Cdn.DomainName}', !Ref Url]}\n"
        "Conditions:\n"
        "  Own: !Not [!Equals [!Ref Url, '']]\n"
    )

    assert merged(tmp_path) == {
        "Outputs": {
            "Arn": {"Value": {"Fn::GetAtt": ["Queue", "Arn"]}},
            "Site": {
                "Value": {
                    "Fn::If": ["Own", {"Fn::Sub": "https://${Cdn.DomainName}"}, {"Ref": "Url"}]
                }
            },
        },
        "Conditions": {"Own": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Url"}, ""]}]}},
    }


def test_the_same_entry_in_two_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(QUEUE)
    (tmp_path / "b.yaml").write_text(QUEUE)

    with pytest.raises(TemplateRefused) as refusal:
        merged(tmp_path)

    assert str(refusal.value) == (
        "Resources/Queue is in a.yaml and in b.yaml: one file must hold all of it."
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (QUEUE + "  Queue: {}\n", "a.yaml, line 4: the key Queue comes twice."),
        (QUEUE + "    Type: AWS::SNS::Topic\n", "a.yaml, line 4: the key Type comes twice."),
        (QUEUE + "Resources: {}\n", "a.yaml, line 4: the key Resources comes twice."),
        (
            "Outputs:\n  Name: !Sbu x\n",
            "a.yaml, line 2: could not determine a constructor for the tag '!Sbu'.",
        ),
        (
            "Outputs:\n  Name: !Ref {Queue: Arn}\n",
            "a.yaml, line 2: expected a scalar node, but found mapping.",
        ),
        ("Outputs: [\n", "a.yaml, line 2: expected the node content, but found '<stream end>'."),
        ("Resources:\n", "a.yaml: sections such as Resources with named entries only."),
        ("", "a.yaml: sections such as Resources with named entries only."),
    ],
)
def test_what_is_wrong_in_a_file_is_refused_with_its_place(
    tmp_path: Path, content: str, why: str
) -> None:
    (tmp_path / "a.yaml").write_text(content)

    with pytest.raises(TemplateRefused) as refusal:
        merged(tmp_path)

    assert str(refusal.value) == why
