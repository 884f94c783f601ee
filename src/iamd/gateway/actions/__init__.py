"""Which IAM actions, on which resources and with which condition keys, a request to another service is."""
