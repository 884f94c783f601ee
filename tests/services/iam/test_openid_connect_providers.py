"""OIDC identity providers through boto3."""

import json
import socket

import pytest
from issuer import Chain, Issuer

URL = "https://idp.example.com/tenant"
THUMBPRINTS = ["A" * 40, "0123456789abcdef0123456789abcdef01234567"]
TAGS = [{"Key": "Team", "Value": "blue"}]


@pytest.fixture
def provider(iam):
    """The ARN of a provider with one audience."""
    return iam.create_open_id_connect_provider(Url=URL, ClientIDList=["web"], ThumbprintList=THUMBPRINTS[1:])[
        "OpenIDConnectProviderArn"
    ]


def shown(iam, arn):
    answer = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    del answer["ResponseMetadata"]
    return answer


def test_a_provider_is_shown_as_it_was_created(iam, arn_of):
    created = iam.create_open_id_connect_provider(
        Url=URL, ClientIDList=["web", "app", "web"], ThumbprintList=THUMBPRINTS, Tags=TAGS
    )
    assert created["OpenIDConnectProviderArn"] == arn_of("oidc-provider/idp.example.com/tenant")
    assert created["Tags"] == TAGS
    provider = shown(iam, created["OpenIDConnectProviderArn"])
    assert provider == {
        "Url": "idp.example.com/tenant",
        "ClientIDList": ["web", "app"],
        "ThumbprintList": ["a" * 40, THUMBPRINTS[1]],
        "CreateDate": provider["CreateDate"],
        "Tags": TAGS,
    }


def test_tags_are_answered_as_they_were_given_and_shown_by_key(iam):
    """AWS's answers, recorded in September 2026."""
    tags = [{"Key": "key", "Value": "value"}, {"Key": "Key", "Value": "Value"}]
    created = iam.create_open_id_connect_provider(Url=URL, ThumbprintList=THUMBPRINTS, Tags=tags)
    assert created["Tags"] == tags
    assert shown(iam, created["OpenIDConnectProviderArn"])["Tags"] == tags[::-1]


def test_providers_are_listed_and_counted(iam, provider):
    other = iam.create_open_id_connect_provider(Url="https://a.example.com", ThumbprintList=THUMBPRINTS)
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert listed == [{"Arn": other["OpenIDConnectProviderArn"]}, {"Arn": provider}]
    assert iam.get_account_summary()["SummaryMap"]["Providers"] == 2


def test_audiences_are_added_and_taken_away_once(iam, provider):
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="app")
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="app")
    assert shown(iam, provider)["ClientIDList"] == ["web", "app"]
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="web")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="web")
    assert shown(iam, provider)["ClientIDList"] == ["app"]


def test_thumbprints_are_replaced(iam, provider):
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=provider, ThumbprintList=["B" * 40])
    assert shown(iam, provider)["ThumbprintList"] == ["b" * 40]


def test_a_deleted_provider_is_gone_and_cannot_be_deleted_again(iam, provider, refused):
    """AWS's answers, recorded in February and September 2026, though the API Reference calls this idempotent."""
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    with refused("NoSuchEntity", f"OpenId connect Provider {provider} cannot be found."):
        iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    with refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {provider}"):
        shown(iam, provider)
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_without_a_thumbprint_that_of_the_servers_chain_is_taken(iam, tmp_path):
    chain = Chain(tmp_path)
    issuer = Issuer(tls=chain.context)
    arn = iam.create_open_id_connect_provider(Url=issuer.url)["OpenIDConnectProviderArn"]
    issuer.close()
    assert shown(iam, arn)["ThumbprintList"] == [chain.thumbprint]


def test_a_server_that_is_not_there_has_no_thumbprint(iam, refused):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with refused("OpenIdIdpCommunicationError"):
        iam.create_open_id_connect_provider(Url=f"https://127.0.0.1:{port}")
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


@pytest.mark.parametrize("host", ["127.0.0.2", "169.254.169.254", "10.0.0.1"])
def test_no_private_address_is_asked_for_its_certificate(iam, refused, host):
    """FED-05: only hosts of `federation_hosts` are reached though they are private."""
    with refused("OpenIdIdpCommunicationError"):
        iam.create_open_id_connect_provider(Url=f"https://{host}")


@pytest.mark.parametrize(
    "url",
    [
        "idp.example.com",
        "http://idp.example.com",
        "ftp://idp.example.com",
        "https://idp.example.com:8443",
        "https://user@idp.example.com",
        "https://idp.example.com /",
        "https://",
        "https://saml",
        "https://aws",
        "http://localhost:9000",
        "https://localhost:9000",
    ],
)
def test_a_url_is_that_of_an_issuer(iam, refused, url):
    """AWS's answer to the first of them, recorded in February 2026."""
    with refused("ValidationError", "Invalid Open ID Connect Provider URL"):
        iam.create_open_id_connect_provider(Url=url, ThumbprintList=THUMBPRINTS)


@pytest.mark.parametrize("end", ["/?q=value", "/#fragment"])
def test_a_query_or_fragment_is_unknown(iam, refused, end):
    """AWS's answers, recorded in September 2026."""
    with refused("InvalidInput", "Unknown"):
        iam.create_open_id_connect_provider(Url=URL + end, ThumbprintList=THUMBPRINTS)


def test_the_port_of_https_is_left_out(iam, arn_of, refused):
    """AWS's answer, recorded in September 2026: the provider is that of the same URL without the port."""
    url = "https://idp.example.com:443/tenant"
    arn = iam.create_open_id_connect_provider(Url=url, ThumbprintList=THUMBPRINTS)["OpenIDConnectProviderArn"]
    assert arn == arn_of("oidc-provider/idp.example.com/tenant")
    assert shown(iam, arn)["Url"] == "idp.example.com/tenant"
    with refused("EntityAlreadyExists", f"Provider with url {URL} already exists."):
        iam.create_open_id_connect_provider(Url=URL, ThumbprintList=THUMBPRINTS)


def test_a_listed_host_may_have_a_port_and_plain_http(iam, arn_of):
    """`federation_hosts`: what AWS refuses is for issuers of a developer's own machine."""
    arn = iam.create_open_id_connect_provider(Url="http://127.0.0.1:9000/x")["OpenIDConnectProviderArn"]
    assert arn == arn_of("oidc-provider/127.0.0.1:9000/x")
    assert shown(iam, arn)["ThumbprintList"] == []


def test_one_url_has_one_provider(iam, provider, refused):
    with refused("EntityAlreadyExists", f"Provider with url {URL} already exists."):
        iam.create_open_id_connect_provider(Url=URL, ThumbprintList=THUMBPRINTS)


def test_a_provider_has_one_to_five_thumbprints(iam, provider, refused):
    """AWS's recorded answers."""
    many = ["b" * 40] * 6
    with refused("InvalidInput", "Thumbprint list must contain fewer than 5 entries."):
        iam.create_open_id_connect_provider(Url="https://b.example.com", ThumbprintList=many)
    for wrong, words in ((many, "contain fewer than 5 entries."), ([], "contain at least one entry.")):
        with refused("InvalidInput", f"Thumbprint list must {words}"):
            iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=provider, ThumbprintList=wrong)
    assert shown(iam, provider)["ThumbprintList"] == THUMBPRINTS[1:]
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=provider, ThumbprintList=many[:5])
    assert shown(iam, provider)["ThumbprintList"] == many[:5]


def test_a_thumbprint_is_any_forty_characters(iam, provider):
    """AWS's recorded answer; it trusts no certificate."""
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=provider, ThumbprintList=["G" * 40])
    assert shown(iam, provider)["ThumbprintList"] == ["g" * 40]


def test_a_provider_has_a_hundred_audiences(iam, provider, refused):
    many = [f"client-{number}" for number in range(101)]
    with refused("LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"):
        iam.create_open_id_connect_provider(Url="https://c.example.com", ClientIDList=many, ThumbprintList=THUMBPRINTS)
    full = iam.create_open_id_connect_provider(
        Url="https://c.example.com", ClientIDList=many[:100], ThumbprintList=THUMBPRINTS
    )["OpenIDConnectProviderArn"]
    with refused("LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"):
        iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=full, ClientID="one-more")


def test_an_account_has_a_hundred_providers(iam, refused):
    for number in range(100):
        iam.create_open_id_connect_provider(Url=f"https://n{number}.example.com", ThumbprintList=THUMBPRINTS)
    with refused("LimitExceeded", "Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100"):
        iam.create_open_id_connect_provider(Url=URL, ThumbprintList=THUMBPRINTS)


NAMED = [
    ("get_open_id_connect_provider", {}),
    ("delete_open_id_connect_provider", {}),
    ("add_client_id_to_open_id_connect_provider", {"ClientID": "app"}),
    ("remove_client_id_from_open_id_connect_provider", {"ClientID": "app"}),
    ("update_open_id_connect_provider_thumbprint", {"ThumbprintList": THUMBPRINTS}),
    ("tag_open_id_connect_provider", {"Tags": TAGS}),
    ("untag_open_id_connect_provider", {"TagKeys": ["Team"]}),
    ("list_open_id_connect_provider_tags", {}),
]


@pytest.mark.parametrize(("operation", "parameters"), NAMED)
def test_a_provider_is_named_by_its_very_arn(iam, provider, refused, operation, parameters):
    for other in (
        provider + "x",
        provider.upper().replace("ARN:AWS:IAM", "arn:aws:iam").replace("OIDC-PROVIDER", "oidc-provider"),
        provider.replace("::", "::9", 1),
    ):
        with refused("NoSuchEntity"):
            getattr(iam, operation)(OpenIDConnectProviderArn=other, **parameters)
    for wrong in ("this-is-not-an-arn-at-all", provider.replace("oidc-provider", "saml-provider")):
        with refused("InvalidInput", f"ARN {wrong} is not valid."):
            getattr(iam, operation)(OpenIDConnectProviderArn=wrong, **parameters)


def test_tags_of_a_provider_are_listed_in_pages_and_in_force(aws, iam, provider, paged, refused):
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=provider, Tags=[*TAGS, {"Key": "A", "Value": "b"}])
    listed = paged(iam.list_open_id_connect_provider_tags, "Tags", OpenIDConnectProviderArn=provider)
    assert listed == [{"Key": "A", "Value": "b"}, *TAGS]
    statement = {
        "Effect": "Allow",
        "Action": "iam:DeleteOpenIDConnectProvider",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/Team": "red"}},
    }
    ann = aws.client("iam", aws.user("ann", statement))
    with refused("AccessDenied"):
        ann.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    iam.untag_open_id_connect_provider(OpenIDConnectProviderArn=provider, TagKeys=["A", "none"])
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=provider, Tags=[{"Key": "Team", "Value": "red"}])
    assert shown(iam, provider)["Tags"] == [{"Key": "Team", "Value": "red"}]
    ann.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)


def test_tags_are_checked_and_counted(iam, provider, refused):
    with refused("InvalidInput"):
        iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=provider, Tags=[{"Key": "aws:x", "Value": "b"}])
    with refused("InvalidInput"):
        iam.create_open_id_connect_provider(
            Url="https://d.example.com", ThumbprintList=THUMBPRINTS, Tags=[{"Key": "aws:x", "Value": "b"}]
        )
    many = [{"Key": f"k{number}", "Value": "v"} for number in range(50)]
    iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=provider, Tags=many)
    with refused("LimitExceeded", "The number of tags has reached the maximum limit."):
        iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=provider, Tags=TAGS)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("GetOpenIDConnectProvider", {}),
        ("DeleteOpenIDConnectProvider", {}),
        ("AddClientIDToOpenIDConnectProvider", {"ClientID": "app"}),
        ("RemoveClientIDFromOpenIDConnectProvider", {"ClientID": "app"}),
        ("UpdateOpenIDConnectProviderThumbprint", {"ThumbprintList": THUMBPRINTS}),
    ],
)
def test_operations_on_a_provider_are_denied_on_its_arn(provider, denied, operation, parameters):
    denied(operation, provider, OpenIDConnectProviderArn=provider, **parameters)


def test_creating_and_listing_are_denied_on_what_they_touch(denied, arn_of):
    new = arn_of("oidc-provider/idp.example.com/tenant")
    denied("CreateOpenIDConnectProvider", new, Url=URL, ThumbprintList=THUMBPRINTS)
    denied("ListOpenIDConnectProviders", "*")


def test_each_operation_is_recorded_with_its_parameters(iam, provider, parameters_of):
    name = {"openIDConnectProviderArn": provider}
    iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    iam.list_open_id_connect_providers()
    iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="app")
    iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="app")
    iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=provider, ThumbprintList=THUMBPRINTS)
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    assert parameters_of("CreateOpenIDConnectProvider") == {
        "url": URL,
        "clientIDList": ["web"],
        "thumbprintList": THUMBPRINTS[1:],
    }
    assert parameters_of("GetOpenIDConnectProvider") == name
    assert parameters_of("ListOpenIDConnectProviders") is None
    assert parameters_of("AddClientIDToOpenIDConnectProvider") == {**name, "clientID": "app"}
    assert parameters_of("RemoveClientIDFromOpenIDConnectProvider") == {**name, "clientID": "app"}
    assert parameters_of("UpdateOpenIDConnectProviderThumbprint") == {**name, "thumbprintList": THUMBPRINTS}
    assert parameters_of("DeleteOpenIDConnectProvider") == name


GITHUB = "token.actions.githubusercontent.com"


def trust(condition, issuer=GITHUB, **changed):
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": f"arn:aws:iam::123456789012:oidc-provider/{issuer}"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        **({"Condition": condition} if condition else {}),
        **changed,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize(
    "document",
    [
        trust(None),
        trust({"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}),
        trust({"StringLike": {f"{GITHUB}:sub": "*"}}),
        trust({"StringLike": {f"{GITHUB}:sub": "*?*"}}),
        trust({"StringLike": {f"{GITHUB}:sub": ["repo:octo/*", "*"]}}),
        trust({"StringLike": {f"{GITHUB}:sub": []}}),
        trust({"StringEquals": {f"{GITHUB}:sub": ""}}),
        trust({"StringNotEquals": {f"{GITHUB}:sub": "repo:octo/app"}}),
        trust({"Null": {f"{GITHUB}:sub": "false"}}),
        trust({"StringEquals": {"gitlab.com:sub": "x"}}),
        trust(None, Action="sts:*"),
        trust({"StringEquals": {f"{GITHUB}:sub": f"${{{GITHUB}:sub}}"}}),
        trust({"StringLike": {f"{GITHUB}:sub": f"repo:octo/${{{GITHUB}:sub}}"}}),
        trust({"StringEquals": {f"{GITHUB}:sub": ["repo:octo/app:pull_request", "${sts:RoleSessionName}"]}}),
        trust({"StringLike": {f"{GITHUB}:sub": "${aws:username, '*'}"}}),
        trust({"StringLike": {"gitlab.com:sub": "${gitlab.com:sub}"}}, issuer="gitlab.com"),
        *(
            trust({"StringLike": {f"{GITHUB}:sub": text}})
            for text in ("repo:*", "*:*", "r*", "repo:*/*", "repo:?*/?*:*")
        ),
        trust(None, Action=["sts:TagSession", "STS:AssumeRoleWith*"]),
        trust(None, issuer="GITLAB.com"),
        trust({"StringEquals": {"api.pulumi.com/oidc:sub": "x"}}, issuer="api.pulumi.com/oidc"),
        trust(None, Principal={"Federated": "cognito-identity.amazonaws.com"}),
        trust(None, Principal={"Federated": "accounts.google.com"}),
    ],
)
def test_a_role_does_not_trust_every_tenant_of_a_shared_issuer(iam, refused, document):
    """FED-04, B27. AWS: id_roles_providers_oidc_secure-by-default."""
    with refused("MalformedPolicyDocument"):
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)
    narrow = trust({"StringLike": {f"{GITHUB}:sub": "repo:octo/*"}})
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=narrow)
    with refused("MalformedPolicyDocument"):
        iam.update_assume_role_policy(RoleName="app", PolicyDocument=document)
    assert iam.get_role(RoleName="app")["Role"]["AssumeRolePolicyDocument"] == json.loads(narrow)


@pytest.mark.parametrize(
    "document",
    [
        trust({"StringEquals": {f"{GITHUB.upper()}:SUB": "repo:octo/app:ref:refs/heads/main"}}),
        trust({"ForAnyValue:StringLike": {f"{GITHUB}:sub": ["repo:a/*", "repo:b/*"]}}),
        trust({"StringLike": {f"{GITHUB}:sub": "repo:octo*"}}),
        trust({"StringEquals": {"api.pulumi.com/oidc:aud": "octo"}}, issuer="api.pulumi.com/oidc"),
        trust(None, Effect="Deny"),
        trust(None, Action="sts:TagSession"),
        trust(None, issuer="idp.example.com"),
        trust({"StringEquals": {"accounts.google.com:aud": "x"}}, Principal={"Federated": "accounts.google.com"}),
    ],
)
def test_a_role_trusts_some_tenants_of_a_shared_issuer(iam, document):
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)
    assert iam.get_role(RoleName="app")["Role"]["AssumeRolePolicyDocument"] == json.loads(document)


TURBONOMIC = (
    "oidc.op1.openshiftapps.com/2c51blsaqa9gkjt0o9rt11mle8mmropu",
    "oidc.op1.openshiftapps.com/2f785sojlpb85i7402pk3qogugim5nfb",
    "rh-oidc.s3.us-east-1.amazonaws.com/22ejnvnnturfmt6km08idd0nt4hekbn7",
    "rh-oidc.s3.us-east-1.amazonaws.com/23e3sd27sju1hoou6ohfs68vbno607tr",
    "rh-oidc.s3.us-east-1.amazonaws.com/23ne21h005qjl3n33d8dui5dlrmv2tmg",
    "rh-oidc.s3.us-east-1.amazonaws.com/24jrf12m5dj7ljlfb4ta2frhrcoadm26",
)
# AWS: the table of id_roles_providers_oidc_secure-by-default: issuer and the key that must be tested.
SHARED = [
    ("agent.buildkite.com", "agent.buildkite.com:sub"),
    ("api.pulumi.com/oidc", "api.pulumi.com/oidc:aud"),
    ("app.terraform.io", "app.terraform.io:sub"),
    ("cognito-identity.amazonaws.com", "cognito-identity.amazonaws.com:aud"),
    ("gitlab.com", "gitlab.com:sub"),
    (
        "oidc-configuration.audit-log.githubusercontent.com",
        "oidc-configuration.audit-log.githubusercontent.com:sub",
    ),
    ("oidc.codefresh.io", "oidc.codefresh.io:sub"),
    ("oidc.vercel.com", "oidc.vercel.com:aud"),
    ("proidc.upbound.io", "proidc.upbound.io:sub"),
    ("sandboxes.cloud", "sandboxes.cloud:aud"),
    ("scalr.io", "scalr.io:sub"),
    ("studio.datachain.ai/api", "studio.datachain.ai/api:sub"),
    ("sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d", "sts:RoleSessionName"),
    ("token.actions.githubusercontent.com", "token.actions.githubusercontent.com:sub"),
    ("tokens.cloud.shisho.dev", "tokens.cloud.shisho.dev:sub"),
    ("vstoken.actions.githubusercontent.com", "vstoken.actions.githubusercontent.com:sub"),
    *((issuer, f"{issuer}:sub") for issuer in TURBONOMIC),
]


@pytest.mark.parametrize(("issuer", "key"), SHARED, ids=[issuer for issuer, _ in SHARED])
def test_each_shared_issuer_needs_the_key_that_tells_its_tenants_apart(iam, refused, issuer, key):
    other = f"{issuer}:{'aud' if key.endswith(':sub') else 'sub'}"
    principal = {"Principal": {"Federated": issuer}} if issuer.startswith("cognito") else {}
    with refused("MalformedPolicyDocument"):
        document = trust({"StringEquals": {other: "octo"}}, issuer=issuer, **principal)
        iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)
    document = trust({"StringEquals": {key: "octo"}}, issuer=issuer, **principal)
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=document)
