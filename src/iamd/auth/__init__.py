"""Who signed this: signatures, session tokens, passwords, MFA codes, and the sealing of secrets."""
