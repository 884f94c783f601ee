"""Credentials where programs look for them: EC2's instance metadata, ECS's and EKS's container credentials."""
