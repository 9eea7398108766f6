"""The tagging API: tags of everything that carries some, and resources that no other service here looks for."""
from __future__ import annotations

from typing import Iterator

from aws.live.operations import GET_RESOURCES
from aws.resources.base import Look, Service, tags_of
from aws.resources.ec2 import ADDRESS, ADDRESSES, COMPUTE, GATEWAY, INSTANCE, OTHER, SNAPSHOT, VOLUME
from aws.resources.functions import FUNCTION, LAMBDA
from aws.resources.rds import DATABASE, DATABASES
from aws.resources.s3 import BUCKET, STORAGE
from aws.sources.base import Resource

# The tagging API's types of resources, and the service under which Cost Explorer charges each.
SERVICE_OF_TYPE = {
    INSTANCE: COMPUTE, VOLUME: OTHER, SNAPSHOT: OTHER, GATEWAY: OTHER, ADDRESS: ADDRESSES,
    "ec2:vpc-endpoint": ADDRESSES, "ec2:vpn-connection": ADDRESSES, "ec2:transit-gateway": ADDRESSES,
    DATABASE: DATABASES, "rds:cluster": DATABASES, "rds:snapshot": DATABASES, BUCKET: STORAGE, FUNCTION: LAMBDA,
    "dynamodb:table": "Amazon DynamoDB", "elasticloadbalancing:loadbalancer": "Amazon Elastic Load Balancing",
    "elasticache:cluster": "Amazon ElastiCache", "es:domain": "Amazon OpenSearch Service",
    "redshift:cluster": "Amazon Redshift", "eks:cluster": "Amazon Elastic Container Service for Kubernetes",
    "ecs:cluster": "Amazon Elastic Container Service", "ecs:service": "Amazon Elastic Container Service",
    "ecr:repository": "Amazon EC2 Container Registry (ECR)", "sqs": "Amazon Simple Queue Service",
    "sns": "Amazon Simple Notification Service", "kinesis:stream": "Amazon Kinesis", "kms:key":
    "AWS Key Management Service", "secretsmanager:secret": "AWS Secrets Manager",
    "elasticfilesystem:file-system": "Amazon Elastic File System", "cloudfront:distribution": "Amazon CloudFront",
    "sagemaker:endpoint": "Amazon SageMaker", "sagemaker:notebook-instance": "Amazon SageMaker",
    "states:stateMachine": "AWS Step Functions", "apigateway:restapis": "Amazon API Gateway",
    "glue:job": "AWS Glue", "backup:backup-vault": "AWS Backup", "logs:log-group": "AmazonCloudWatch",
    "qbusiness:application": "Amazon Q Business"}
_BARE_IDS = ("ec2", "s3")  # whose resources bills name without the ARN


class Tagged(Service):
    """Every resource with a tag, of the types above; those that another service found lend only their tags."""

    id = "tagged"
    title = "Resource Groups Tagging"
    description = "Tags, and tagged resources of any service"
    rank = 200
    client = "resourcegroupstaggingapi"
    part_names = ("resources",)

    def resources(self, look: Look) -> Iterator[Resource]:
        """Yield what carries tags."""
        for one in look.ask(GET_RESOURCES, ResourceTypeFilters=sorted(SERVICE_OF_TYPE)):
            arn = one["ResourceARN"]
            kind = type_of(arn)
            yield look.resource(identity_of(arn), kind, SERVICE_OF_TYPE.get(kind, ""), _name(arn),
                                tags_of(one.get("Tags")))


def type_of(arn: str) -> str:
    """Return the tagging API's type of an ARN: `ec2:instance`, or the service alone where the ARN tells no more."""
    service, rest = arn.split(":", 5)[2::3]
    if service == "s3":
        return BUCKET
    kind = rest.replace("/", ":").strip(":").partition(":")[0]
    return f"{service}:{kind}" if kind != rest else service


def identity_of(arn: str) -> str:
    """Return an ARN's resource as bills name it."""
    return _name(arn) if arn.split(":", 3)[2] in _BARE_IDS else arn


def _name(arn: str) -> str:
    return arn.replace("/", ":").rpartition(":")[2]
