"""AWS::ECR::Repository."""

from typing import Any

from iamd.stacks.kinds import Kind, Setting, Tags, Work


async def _put_mutability(work: Work) -> None:
    given = {
        "imageTagMutability": work["ImageTagMutability"] or "MUTABLE",
        "imageTagMutabilityExclusionFilters": _filters(work),
    }
    await work.call("ecr", "PutImageTagMutability", repositoryName=work.id, **given)


def _filters(work: Work) -> list[dict[str, Any]] | None:
    filters = work["ImageTagMutabilityExclusionFilters"]
    if filters is None:
        return None
    prefix = "ImageTagMutabilityExclusionFilter"
    return [{"filterType": one[f"{prefix}Type"], "filter": one[f"{prefix}Value"]} for one in filters]


async def _put_scanning(work: Work) -> None:
    scanning = work["ImageScanningConfiguration"] or {"ScanOnPush": False}
    given = {"imageScanningConfiguration": scanning}
    await work.call("ecr", "PutImageScanningConfiguration", repositoryName=work.id, **given)


async def _put_lifecycle(work: Work) -> None:
    await work.call("ecr", "PutLifecyclePolicy", repositoryName=work.id, **work["LifecyclePolicy"])


async def _delete_lifecycle(work: Work) -> None:
    await work.call_unless_gone("ecr", "DeleteLifecyclePolicy", repositoryName=work.id)


async def _put_policy(work: Work) -> None:
    await work.call("ecr", "SetRepositoryPolicy", repositoryName=work.id, policyText=work["RepositoryPolicyText"])


async def _delete_policy(work: Work) -> None:
    await work.call_unless_gone("ecr", "DeleteRepositoryPolicy", repositoryName=work.id)


async def _tag(work: Work, changed: Any) -> None:
    await work.call("ecr", "TagResource", resourceArn=work.attribute("Arn"), tags=changed)


async def _untag(work: Work, keys: Any) -> None:
    await work.call("ecr", "UntagResource", resourceArn=work.attribute("Arn"), tagKeys=keys)


class Repository(Kind):
    """A repository of images; with EmptyOnDelete its images go with it."""

    type = "AWS::ECR::Repository"
    properties = ("EmptyOnDelete", "EncryptionConfiguration", "RepositoryName")
    parts = (
        Setting(
            ("ImageTagMutability", "ImageTagMutabilityExclusionFilters"),
            _put_mutability,
            _put_mutability,
            on_create=False,
        ),
        Setting(("ImageScanningConfiguration",), _put_scanning, _put_scanning, on_create=False),
        Setting(("LifecyclePolicy",), _put_lifecycle, _delete_lifecycle),
        Setting(("RepositoryPolicyText",), _put_policy, _delete_policy),
        Tags(_tag, _untag),
    )
    attributes = ("Arn", "RepositoryUri")

    async def make(self, work: Work) -> None:
        """Make the repository."""
        name = work.name("RepositoryName", 256, lower=True)
        given = work.given("EncryptionConfiguration", "ImageScanningConfiguration", "ImageTagMutability")
        answer = await work.call(
            "ecr",
            "CreateRepository",
            repositoryName=name,
            tags=work.tags,
            imageTagMutabilityExclusionFilters=_filters(work),
            **given,
        )
        made = answer["repository"]
        work.made_as(name, Arn=made["repositoryArn"], RepositoryUri=made["repositoryUri"])

    async def remove(self, work: Work) -> None:
        """Delete the repository."""
        await work.call("ecr", "DeleteRepository", repositoryName=work.id, force=work["EmptyOnDelete"])
