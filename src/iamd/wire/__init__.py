"""AWS's protocols, generic over botocore's service models: a request to an operation and its parameters, and back."""
