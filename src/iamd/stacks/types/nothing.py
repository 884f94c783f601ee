"""Types that stand in templates and make nothing: AWS::CDK::Metadata."""

from iamd.stacks.kinds import Kind, Work


class Metadata(Kind):
    """What CDK says of the constructs that a template was made of."""

    type = "AWS::CDK::Metadata"
    takes_any = True

    def service_of(self, type: str) -> str | None:
        """It is in no service."""
        return None

    async def make(self, work: Work) -> None:
        """It is a name, no more."""
        work.made_as(work.wanted.generated_name)

    async def remove(self, work: Work) -> None:
        """There was nothing."""
