"""AWS's published facts, in packs that are read piece by piece: managed policies, service-linked roles, actions."""
