"""IAM Access Analyzer: what is wrong with a policy document."""
