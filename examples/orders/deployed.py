"""Print what a deployed stack made, as lines for a shell; with --sample, put an order there that the tests look at.

eval "$(python deployed.py STACK --sample)"
"""

import os
import shlex
import sys
from pathlib import Path

import boto3

sys.path.insert(0, str(Path(__file__).parent / "service"))

from orders import api, worker


def outputs(stack: str) -> dict[str, str]:
    """What the stack says of itself."""
    [found] = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}


VARIABLES = {
    "QueueUrl": "ORDERS_QUEUE_URL",
    "TableName": "ORDERS_TABLE",
    "BucketName": "ORDERS_BUCKET",
    "SecretArn": "ORDERS_SECRET",
    "ApiRoleArn": "API_ROLE",
    "WorkerRoleArn": "WORKER_ROLE",
    "ApiFunctionName": "API_FUNCTION",
}


def main(stack: str, *options: str) -> None:
    """Print the lines."""
    variables = {VARIABLES[name]: value for name, value in outputs(stack).items()}
    os.environ.update(variables)
    if "--sample" in options:
        api.keep("sample", "tea")
        worker.carry_out("sample")
    for name, value in variables.items():
        print(f"export {name}={shlex.quote(value)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
