"""The encryption context that an object was written with, and objects that Lambda reads code from.

AWS: S3 User Guide, UsingKMSEncryption ("Encryption context"): it is kept with the object and given to Decrypt; who reads
an object needs `kms:Decrypt`, also through Lambda (Developer Guide, "Troubleshoot deployment issues in Lambda").
"""

import base64
import io
import json
import zipfile
from typing import Any

import pytest
from gateway.two_accounts import code_of, error_of, policy
from running import AWS, allow, deny

TEAM = "kms:EncryptionContext:team"


@pytest.fixture
def key(cloud: AWS) -> str:
    arn = cloud.client("kms").create_key()["KeyMetadata"]["Arn"]
    for bucket in ("files", "plain"):
        cloud.client("s3").create_bucket(Bucket=bucket)
    return arn


def sealed(arn: str, **context: str) -> dict[str, str]:
    given = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": arn}
    text = base64.b64encode(json.dumps(context).encode()).decode()
    return {**given, **({"SSEKMSEncryptionContext": text} if context else {})}


@pytest.mark.parametrize(
    "statement",
    [
        deny("kms:Decrypt", "*", StringEquals={TEAM: "red"}),
        deny("kms:Decrypt", "*", **{"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "team"}}),
        deny("kms:Decrypt", "*", Null={TEAM: "false"}),
    ],
)
def test_a_context_counts_when_the_object_is_read(cloud, key, statement):
    s3 = cloud.client("s3")
    s3.put_object(Bucket="files", Key="a", Body=b"data", **sealed(key, team="red"))
    s3.put_object(Bucket="plain", Key="a", Body=b"data", **sealed(key))
    mallory = cloud.client("s3", cloud.user("mallory", allow("*"), statement))
    assert code_of(mallory.get_object, Bucket="files", Key="a") == "AccessDenied"
    source = {"Bucket": "files", "Key": "a"}
    assert code_of(mallory.copy_object, Bucket="plain", Key="b", CopySource=source) == "AccessDenied"
    # What nobody gave a context has none but its own.
    assert mallory.get_object(Bucket="plain", Key="a")["Body"].read() == b"data"


def test_a_context_that_nobody_knows_allows_nothing(cloud, key):
    cloud.client("s3").put_object(Bucket="files", Key="a", Body=b"data", **sealed(key, team="red"))
    own = {"kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::files/a"}
    by_team, by_arn = (
        cloud.client("s3", cloud.user(name, allow("s3:*"), allow("kms:Decrypt", key, StringEquals=condition)))
        for name, condition in (("team", {TEAM: "red"}), ("arn", own))
    )
    assert code_of(by_team.get_object, Bucket="files", Key="a") == "AccessDenied"
    assert by_arn.get_object(Bucket="files", Key="a")["Body"].read() == b"data"


def test_the_context_of_an_upload_counts_for_its_parts(cloud, key):
    team = allow("kms:*", key, StringEquals={TEAM: "red"})
    red = cloud.client("s3", cloud.user("red", allow("s3:*"), team))
    blue = cloud.client("s3", cloud.user("blue", allow("*"), deny("kms:Decrypt", "*", StringEquals={TEAM: "red"})))
    upload = red.create_multipart_upload(Bucket="files", Key="a", **sealed(key, team="red"))["UploadId"]
    part: dict[str, Any] = {"Bucket": "files", "Key": "a", "UploadId": upload, "PartNumber": 1, "Body": b"data"}
    assert red.upload_part(**part)["ETag"]
    assert code_of(blue.upload_part, **part) == "AccessDenied"


def test_code_from_an_encrypted_object_needs_its_key(cloud, key):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", "def handler(event, context): return 1")
    s3 = cloud.client("s3")
    s3.put_object(Bucket="files", Key="f.zip", Body=content.getvalue(), **sealed(key))
    s3.put_object(Bucket="plain", Key="f.zip", Body=content.getvalue())
    trust = policy({"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"})
    role = cloud.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    admin, mallory = cloud.client("lambda"), cloud.client("lambda", cloud.user("m", allow("*"), deny("kms:*", key)))
    through = {"kms:ViaService": "s3.us-east-1.amazonaws.com"}
    reader = cloud.client(
        "lambda", cloud.user("r", allow(["lambda:*", "s3:*"]), allow("kms:Decrypt", key, StringEquals=through))
    )
    code, plain = {"S3Bucket": "files", "S3Key": "f.zip"}, {"S3Bucket": "plain", "S3Key": "f.zip"}
    made = {"FunctionName": "f", "Runtime": "python3.11", "Role": role, "Handler": "index.handler"}
    error = error_of(mallory.create_function, Code=code, **made)
    assert error["Code"] == "AccessDeniedException"
    assert "permission to GetObject for files/f.zip. S3 Error Code: AccessDenied" in error["Message"]
    mallory.create_function(Code=plain, **made)
    assert code_of(mallory.update_function_code, FunctionName="f", **code) == "AccessDeniedException"
    assert code_of(mallory.publish_layer_version, LayerName="l", Content=code) == "AccessDeniedException"
    reader.update_function_code(FunctionName="f", **code)
    reader.publish_layer_version(LayerName="l", Content=code)
    cloud.client("kms").disable_key(KeyId=key)
    error = error_of(admin.update_function_code, FunctionName="f", **code)
    assert error["Code"] == "InvalidParameterValueException"
    assert "S3 Error Code: KMS.DisabledException" in error["Message"]
