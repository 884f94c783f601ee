"""Pages for people: signing in, and what one may do with one's own account there."""
