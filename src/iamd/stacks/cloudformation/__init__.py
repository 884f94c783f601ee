"""AWS CloudFormation: model `cloudformation`, actions `cloudformation:...`; what it does is in the folder above."""
