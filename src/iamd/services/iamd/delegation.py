"""Partners of temporary delegation: the operator registers what they may ask for, and they are told what came of it.

On AWS, AWS onboards partners and registers their policy templates (IAM User Guide, "IAM temporary delegation for AWS
Partners"), and the partner's SNS topic is told.
"""

from typing import Any

from iamd import arn
from iamd.call import Call
from iamd.errors import AWSError
from iamd.services.iam import delegation_notices, delegation_templates, template_values
from iamd.services.iam.delegation_targets import state_of
from iamd.services.iam.errors import InvalidInput
from iamd.services.iamd.accounts import check_first_account, nothing
from iamd.services.iamd.decisions import NoSuchRequest
from iamd.services.iamd.equivalents import beside
from iamd.services.iamd.root_passwords import NoSuchAccount
from iamd.services.registry import operation, reading
from iamd.store.delegation_records import DelegationRequest, DelegationTemplate, PolicyParameter
from iamd.store.records import GLOBAL


class TemplateAlreadyExists(AWSError):
    """A template of this name is registered."""

    code = "TemplateAlreadyExists"


class NoSuchTemplate(AWSError):
    """No template of this ARN is registered."""

    code = "NoSuchTemplate"


class MalformedTemplate(AWSError):
    """What was given is no policy, whatever its parameters are."""

    code = "MalformedTemplate"


@operation(on=beside("iam:CreateDelegationRequest", "iam:CreatePolicy"))
def register_delegation_template(
    call: Call, *, account_id: str, requestor_name: str, template_name: str, policy_template: str
) -> dict[str, Any]:
    """Let an account ask for what a template says."""
    check_first_account(call)
    if call.view.account(account_id) is None:
        raise NoSuchAccount(f"No account {account_id} is on this server.")
    template_arn = f"arn:{arn.PARTITION}:iam:::delegation-template/{template_name}"
    if call.view.shared.get(DelegationTemplate, template_arn) is not None:
        raise TemplateAlreadyExists(f"A template named {template_name} is registered already.")
    _check(policy_template)
    template = DelegationTemplate(
        arn=template_arn,
        account_id=account_id,
        requestor_name=requestor_name,
        document=policy_template,
        registered=call.now,
    )
    call.change.put(GLOBAL, template)
    return {"PolicyTemplateArn": template_arn}


@operation(on=beside("iam:DeletePolicy"))
def deregister_delegation_template(call: Call, *, policy_template_arn: str) -> None:
    """Let nobody ask for what a template says any more; what was asked for stays."""
    check_first_account(call)
    template = call.view.shared.get(DelegationTemplate, policy_template_arn)
    if template is None:
        raise NoSuchTemplate(f"No template {policy_template_arn} is registered.")
    call.change.delete(GLOBAL, template)


@reading(on=nothing)
def list_delegation_templates(call: Call) -> dict[str, Any]:
    """List the templates by their ARNs."""
    check_first_account(call)
    templates = sorted(call.view.shared.all(DelegationTemplate), key=lambda template: template.arn)
    return {
        "Templates": [
            {
                "PolicyTemplateArn": template.arn,
                "AccountId": template.account_id,
                "RequestorName": template.requestor_name,
                "PolicyTemplate": template.document,
            }
            for template in templates
        ]
    }


@reading(on=nothing)
def get_delegation_notification(call: Call, *, delegation_request_id: str) -> dict[str, Any]:
    """Show to the account that made a request how it stands, and its token once that was sent."""
    request = call.view.shared.get(DelegationRequest, delegation_request_id)
    # SECURITY: nobody but the requestor learns even that there is such a request.
    if request is None or request.requestor_account != call.identity.account_id:
        raise NoSuchRequest(f"No delegation request {delegation_request_id} was made by this account.")
    return delegation_notices.told(call.keyring, request, state_of(call, request))


def _check(document: str) -> None:
    """Raise MalformedTemplate for what is no policy even with parameters of the best will."""
    try:
        template_values.parsed(document)
        names = template_values.names_in(document)
        # AWS: a name has 5 characters at least (IAM API Reference, PolicyParameter).
        if any(not 5 <= len(name) <= 256 for name in names):
            raise MalformedTemplate("The name of a parameter has between 5 and 256 characters.")
        delegation_templates.rendered(document, [PolicyParameter(name, ("*",), "string") for name in sorted(names)])
    except (ValueError, RecursionError) as error:
        raise MalformedTemplate("The template is not JSON.") from error
    except InvalidInput as error:
        raise MalformedTemplate(error.message) from error
