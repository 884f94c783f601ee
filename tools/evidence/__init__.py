"""What the tests show of each operation, read from their text."""
