"""The policy with the least rights, against the requests that the code can make and the actions that AWS has."""
from __future__ import annotations

import ast
import json
from fnmatch import fnmatchcase

import pytest

from aws.live.operations import EVERY_OPERATION
from conftest import ROOT

POLICY = json.loads((ROOT / "src" / "aws" / "iam_policy.json").read_text(encoding="utf-8"))
# Where an action is not its service's prefix and the operation's name; from the service authorization reference.
OTHER_NAMES = {"s3:ListAllMyBuckets": "s3:ListBuckets", "tag:GetResources": "resourcegroupstaggingapi:GetResources",
               "bedrock:InvokeModel": "bedrock-runtime:Converse"}
NOT_THERE = ("s3:ListBuckets", "bedrock:Converse", "resource-groups:GetResources", "ce:GetUsageReport",
             "qbusiness:ListIndexes")
READING = ("*:Get*", "*:List*", "*:Describe*")
MORE = {"sts:AssumeRole", "bedrock:InvokeModel"}  # what is more than reading, each in a statement of its own


def granted():
    return {(one["Sid"], action) for one in POLICY["Statement"] for action in one["Action"]}


def test_the_policy_grants_what_the_code_asks_for_and_nothing_else():
    assert granted() == {(one.statement, one.action) for one in EVERY_OPERATION if one.statement}


def test_no_action_is_granted_twice_or_by_a_pattern():
    actions = [action for one in POLICY["Statement"] for action in one["Action"]]
    assert len(actions) == len(set(actions)) and not any("*" in one for one in actions)
    assert all(one["Action"] == sorted(one["Action"]) and one["Effect"] == "Allow" for one in POLICY["Statement"])


def test_whatever_is_more_than_reading_is_held_to_named_resources():
    for statement in POLICY["Statement"]:
        writing = {one for one in statement["Action"] if not any(fnmatchcase(one, form) for form in READING)}
        assert writing <= MORE
        assert not writing or "*" not in ([statement["Resource"]] if isinstance(statement["Resource"], str)
                                          else statement["Resource"])


def test_every_operation_and_action_exists(aws_models):
    for one in EVERY_OPERATION:
        described = aws_models.load_service_model(one.service, "service-2")["operations"]
        assert one.name in described, one
        service, name = OTHER_NAMES.get(one.action, one.action).split(":")
        assert name in aws_models.load_service_model(service, "service-2")["operations"], one
        assert one.action not in NOT_THERE


def test_lists_and_tokens_are_members_of_what_aws_takes_and_gives(aws_models):
    for one in EVERY_OPERATION:
        model = aws_models.load_service_model(one.service, "service-2")
        operation = model["operations"][one.name]
        given = model["shapes"][operation["output"]["shape"]]["members"] if "output" in operation else {}
        taken = model["shapes"][operation["input"]["shape"]]["members"] if "input" in operation else {}
        assert {one.items, one.token_out} - {""} <= set(given), one
        assert {one.token_in} - {""} <= set(taken), one
        # A list whose answer has a token that nobody follows would be cut off after its first page.
        assert one.token_out or not one.items or not any("token" in key.lower() or "marker" in key.lower()
                                                         for key in given), one


@pytest.mark.parametrize("path", sorted((ROOT / "src" / "aws").rglob("*.py")), ids=lambda path: path.name)
def test_boto3_is_reached_by_one_door(path):
    if path.name == "connections.py":
        return
    strings = {node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
               if isinstance(node, ast.Constant)}
    assert not {"boto3", "botocore"} & strings
    assert "import boto" not in path.read_text(encoding="utf-8")
