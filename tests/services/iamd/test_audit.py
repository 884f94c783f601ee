"""The audit streams, as `VerifyAudit` finds them."""


def test_streams_are_intact_after_every_kind_of_request(aws):
    aws.client("iam").create_user(UserName="ann")
    aws.client("sts").get_caller_identity()
    told = aws.iamd("VerifyAudit")
    assert (told["Intact"], told["Findings"]) == (True, [])
    assert aws.events("VerifyAudit")[0]["readOnly"] is True
