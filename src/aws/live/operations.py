"""Every request that is ever made to AWS, named once: its IAM action, how its pages follow, and whether it is paid.

`iam_policy.json` beside this package grants exactly these actions; a test compares both.
"""
from __future__ import annotations

from typing import NamedTuple, Tuple


class Operation(NamedTuple):
    """A request: boto3's name of the service, AWS's name of the operation, and the IAM action that allows it.

    `items` is the member of the answer that holds a list; `token_in` and `token_out` name the members by which the
    next page is asked for, empty where one answer is all. `statement` is the policy's that allows it; empty where
    AWS asks for no right.
    """

    service: str
    name: str
    action: str
    statement: str
    items: str = ""
    token_in: str = ""
    token_out: str = ""
    paid: bool = False


COSTS, RESOURCES, USE, MODELS, SUMMARIES, ROLES = "Costs", "Resources", "Use", "Models", "Summaries", "Roles"

GET_COST_AND_USAGE = Operation("ce", "GetCostAndUsage", "ce:GetCostAndUsage", COSTS, "ResultsByTime", "NextPageToken",
                               "NextPageToken", paid=True)
GET_COST_WITH_RESOURCES = Operation("ce", "GetCostAndUsageWithResources", "ce:GetCostAndUsageWithResources", COSTS,
                                    "ResultsByTime", "NextPageToken", "NextPageToken", paid=True)
GET_TAGS = Operation("ce", "GetTags", "ce:GetTags", COSTS, "Tags", "NextPageToken", "NextPageToken", paid=True)
GET_FORECAST = Operation("ce", "GetCostForecast", "ce:GetCostForecast", COSTS, "ForecastResultsByTime", paid=True)

GET_CALLER_IDENTITY = Operation("sts", "GetCallerIdentity", "sts:GetCallerIdentity", "")
ASSUME_ROLE = Operation("sts", "AssumeRole", "sts:AssumeRole", ROLES)

DESCRIBE_REGIONS = Operation("ec2", "DescribeRegions", "ec2:DescribeRegions", RESOURCES, "Regions")
DESCRIBE_INSTANCES = Operation("ec2", "DescribeInstances", "ec2:DescribeInstances", RESOURCES, "Reservations",
                               "NextToken", "NextToken")
DESCRIBE_VOLUMES = Operation("ec2", "DescribeVolumes", "ec2:DescribeVolumes", RESOURCES, "Volumes", "NextToken",
                             "NextToken")
DESCRIBE_ADDRESSES = Operation("ec2", "DescribeAddresses", "ec2:DescribeAddresses", RESOURCES, "Addresses")
DESCRIBE_SNAPSHOTS = Operation("ec2", "DescribeSnapshots", "ec2:DescribeSnapshots", RESOURCES, "Snapshots",
                               "NextToken", "NextToken")
DESCRIBE_GATEWAYS = Operation("ec2", "DescribeNatGateways", "ec2:DescribeNatGateways", RESOURCES, "NatGateways",
                              "NextToken", "NextToken")
DESCRIBE_DATABASES = Operation("rds", "DescribeDBInstances", "rds:DescribeDBInstances", RESOURCES, "DBInstances",
                               "Marker", "Marker")
LIST_BUCKETS = Operation("s3", "ListBuckets", "s3:ListAllMyBuckets", RESOURCES, "Buckets", "ContinuationToken",
                         "ContinuationToken")
GET_BUCKET_LOCATION = Operation("s3", "GetBucketLocation", "s3:GetBucketLocation", RESOURCES)
LIST_FUNCTIONS = Operation("lambda", "ListFunctions", "lambda:ListFunctions", RESOURCES, "Functions", "Marker",
                           "NextMarker")
LIST_APPLICATIONS = Operation("qbusiness", "ListApplications", "qbusiness:ListApplications", RESOURCES,
                              "applications", "nextToken", "nextToken")
LIST_INDICES = Operation("qbusiness", "ListIndices", "qbusiness:ListIndices", RESOURCES, "indices", "nextToken",
                         "nextToken")
GET_RESOURCES = Operation("resourcegroupstaggingapi", "GetResources", "tag:GetResources", RESOURCES,
                          "ResourceTagMappingList", "PaginationToken", "PaginationToken")
GET_METRIC_DATA = Operation("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData", USE, "MetricDataResults",
                            "NextToken", "NextToken")  # paid by the figure: see Meter.figures

LIST_MODELS = Operation("bedrock", "ListFoundationModels", "bedrock:ListFoundationModels", MODELS, "modelSummaries")
LIST_PROFILES = Operation("bedrock", "ListInferenceProfiles", "bedrock:ListInferenceProfiles", MODELS,
                          "inferenceProfileSummaries", "nextToken", "nextToken")
CONVERSE = Operation("bedrock-runtime", "Converse", "bedrock:InvokeModel", SUMMARIES)

EVERY_OPERATION: Tuple[Operation, ...] = tuple(one for one in list(globals().values()) if isinstance(one, Operation))
