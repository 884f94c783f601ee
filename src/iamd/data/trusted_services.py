"""The services that can have access to an organization, by their service principals.

AWS: Organizations User Guide, "AWS services that you can use with AWS Organizations" (orgs_integrate_services_list),
and the page of each service there.
"""

TRUSTED_SERVICES = frozenset(
    {
        "access-analyzer.amazonaws.com", "account.amazonaws.com", "auditmanager.amazonaws.com",
        "aws-artifact-account-sync.amazonaws.com", "backup.amazonaws.com", "cloudtrail.amazonaws.com",
        "compute-optimizer.amazonaws.com", "config.amazonaws.com", "config-multiaccountsetup.amazonaws.com",
        "controltower.amazonaws.com", "cost-optimization-hub.bcm.amazonaws.com", "detective.amazonaws.com",
        "devops-guru.amazonaws.com", "ds.amazonaws.com", "ec2.amazonaws.com", "fms.amazonaws.com",
        "guardduty.amazonaws.com", "health.amazonaws.com", "iam.amazonaws.com", "inspector2.amazonaws.com",
        "ipam.amazonaws.com", "license-management.marketplace.amazonaws.com", "license-manager.amazonaws.com",
        "license-manager.member-account.amazonaws.com", "license-manager-linux-subscriptions.amazonaws.com",
        "macie.amazonaws.com", "malware-protection.guardduty.amazonaws.com",
        "member.org.stacksets.cloudformation.amazonaws.com", "networkmanager.amazonaws.com",
        "opsdatasync.ssm.amazonaws.com", "private-marketplace.marketplace.amazonaws.com", "ram.amazonaws.com",
        "reachabilityanalyzer.networkinsights.amazonaws.com", "reporting.trustedadvisor.amazonaws.com",
        "resource-explorer-2.amazonaws.com", "security-ir.amazonaws.com", "securityhub.amazonaws.com",
        "securitylake.amazonaws.com", "servicecatalog.amazonaws.com", "servicequotas.amazonaws.com",
        "ssm.amazonaws.com", "sso.amazonaws.com", "stacksets.cloudformation.amazonaws.com",
        "storage-lens.s3.amazonaws.com", "tagpolicies.tag.amazonaws.com", "user-subscriptions.amazonaws.com",
        "wellarchitected.amazonaws.com",
    }
)  # fmt: skip
