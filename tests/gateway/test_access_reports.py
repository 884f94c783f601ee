"""Access reports tell what was asked of other services, too."""

import pytest
from botocore.exceptions import ClientError
from running import ACCOUNT, allow


def test_a_report_tells_the_last_use_of_a_service_behind_the_gateway(cloud):
    user = cloud.user("ann", allow(["s3:*", "sqs:ListQueues"]))
    cloud.client("s3").create_bucket(Bucket="files")
    cloud.client("s3", user).put_object(Bucket="files", Key="a", Body=b"data")
    with pytest.raises(ClientError):
        cloud.client("sqs", user).create_queue(QueueName="work")
    iam = cloud.client("iam")
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann"
    job_id = iam.generate_service_last_accessed_details(Arn=arn, Granularity="ACTION_LEVEL")["JobId"]
    s3, sqs = iam.get_service_last_accessed_details(JobId=job_id)["ServicesLastAccessed"]
    assert (s3["ServiceNamespace"], s3["LastAuthenticatedEntity"]) == ("s3", arn)
    # An object's upload is a data event, so its action is not told.
    assert all("LastAccessedTime" not in action for action in s3["TrackedActionsLastAccessed"])
    assert (sqs["ServiceNamespace"], sqs["TotalAuthenticatedEntities"]) == ("sqs", 1)
    assert sqs["TrackedActionsLastAccessed"] == [{"ActionName": "ListQueues"}]
