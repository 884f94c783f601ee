"""CloudTrail: the record of every request, and the look-up of records."""
