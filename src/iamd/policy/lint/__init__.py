"""Findings in a policy document, as IAM Access Analyzer's ValidatePolicy makes them: text in, findings out.

`lint.py` is where to begin; `catalogue.py` is the table of findings; every other file is a family of checks.
"""
