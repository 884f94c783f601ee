"""What services ask of KMS keys for their callers: which keys, for what, and whether the callers may."""
