"""Answers requests of custom resources: the module that functions find whose source stands in a template.

AWS: CloudFormation User Guide, "cfn-response module". It runs in functions, and knows nothing of iamd.
"""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

SUCCESS = "SUCCESS"
FAILED = "FAILED"


def send(
    event: Mapping[str, Any],
    context: Any,
    responseStatus: str,  # noqa: N803 (the names and their order are AWS's)
    responseData: Any,  # noqa: N803
    physicalResourceId: str | None = None,  # noqa: N803
    noEcho: bool = False,  # noqa: N803
    reason: str | None = None,
) -> None:
    """Send the outcome of a request to the address that it names; what goes wrong is told in the function's log."""
    answer = {
        "Status": responseStatus,
        "Reason": reason or f"See the details in CloudWatch Log Stream: {context.log_stream_name}",
        "PhysicalResourceId": physicalResourceId or context.log_stream_name,
        "NoEcho": noEcho,
        "Data": responseData,
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    body = json.dumps(answer).encode()
    request = urllib.request.Request(event["ResponseURL"], body, {"Content-Type": ""}, method="PUT")  # noqa: S310
    try:
        with urllib.request.urlopen(request) as taken:  # noqa: S310 (CloudFormation has named the address)
            print("cfnresponse: the answer was taken with status", taken.status)  # noqa: T201
    except OSError as error:
        print("cfnresponse: the answer could not be sent:", error)  # noqa: T201
