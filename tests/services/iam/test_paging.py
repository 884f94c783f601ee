"""Pages however long the names are, and whatever is deleted between them."""

from services.iam.world import DOCUMENT

ANN = {"UserName": "ann"}


def test_a_marker_goes_on_behind_an_item_that_was_deleted_since(aws):
    iam = aws.client("iam")
    for name in ("a", "b", "c"):
        iam.create_group(GroupName=name)
    answer = iam.list_groups(MaxItems=2)
    iam.delete_group(GroupName="b")
    assert [group["GroupName"] for group in iam.list_groups(Marker=answer["Marker"])["Groups"]] == ["c"]


def test_the_longest_names_and_paths_are_paged_too(aws, paged):
    """AWS: a marker has 320 characters at most, a policy's path 512 and its name 128 (IAM API Reference)."""
    iam = aws.client("iam")
    path = f"/{'/'.join(['p' * 100] * 5)}/"
    names = sorted(f"{number}{'n' * 127}" for number in range(4))
    arns = [iam.create_policy(PolicyName=name, Path=path, PolicyDocument=DOCUMENT)["Policy"]["Arn"] for name in names]
    iam.create_user(UserName="ann", Tags=[{"Key": f"{number}{'語' * 127}", "Value": ""} for number in range(4)])
    for arn in arns:
        iam.attach_user_policy(UserName="ann", PolicyArn=arn)
    for number in range(3):
        iam.create_virtual_mfa_device(VirtualMFADeviceName=f"{number}{'n' * 219}")
    listed = [policy["PolicyName"] for policy in paged(iam.list_policies, "Policies", Scope="Local")]
    attached = [policy["PolicyName"] for policy in paged(iam.list_attached_user_policies, "AttachedPolicies", **ANN)]
    assert (sorted(listed), sorted(attached)) == (names, names)
    assert len(paged(iam.list_user_tags, "Tags", **ANN)) == 4
    assert len(paged(iam.list_virtual_mfa_devices, "VirtualMFADevices")) == 3


def test_a_page_has_a_hundred_items_unless_others_are_asked_for(aws):
    """AWS: IAM API Reference, ListUsers, MaxItems."""
    iam = aws.client("iam")
    for number in range(101):
        iam.create_user(UserName=f"u{number:03}")
    assert len(iam.list_users(PathPrefix="/")["Users"]) == 100
    assert len(iam.list_users(MaxItems=1000)["Users"]) == 102
