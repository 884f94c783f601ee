"""What a CloudFormation request makes the service do on its caller's behalf, read from its template and decided."""
