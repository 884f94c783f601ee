"""AWS Organizations: model `organizations`, actions `organizations:...`, one global endpoint for all Regions."""
