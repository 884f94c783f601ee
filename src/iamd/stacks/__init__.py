"""Stacks: templates of CloudFormation, and the resources that they make by requests that are decided like any other."""
