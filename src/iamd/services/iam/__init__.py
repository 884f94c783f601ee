"""AWS Identity and Access Management: model `iam`, actions `iam:...`, one global endpoint for all Regions."""
