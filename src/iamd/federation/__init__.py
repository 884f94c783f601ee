"""Identity providers outside: fetching what they publish, and verifying the tokens and assertions that they sign."""
